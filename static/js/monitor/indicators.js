// The overview in plain words: what each indicator says, and whether all is well. Pure.

const SAID = {
  latency: 'saidLatency',
  reconnects: 'saidReconnects',
  speed: 'saidSpeed',
  success: 'saidSuccess',
  memory: 'saidMemory',
  cpu: 'saidCpu',
  disk: 'saidDisk',
}
// What is counted, where it is no measurement.
const BASIS = { reconnects: 'basisWatchers', speed: 'basisFiles', success: 'basisFiles', disk: 'basisFiles' }
export const ICON_OF = Object.freeze({
  good: 'circle-check',
  warning: 'triangle-alert',
  bad: 'circle-alert',
  unknown: 'circle-help',
})
const STATES = Object.keys(ICON_OF)

/** A state that a newer station invents is no reason to call something good. */
const stateOf = ({ state, value }) => (value === null || !STATES.includes(state) ? 'unknown' : state)

/**
 * One indicator, ready to be drawn.
 * @returns {{name, label, state, stateWord, icon, value, limit, basis}} all words but name, state and icon
 */
export function card(indicator, words) {
  const { name, unit, value, threshold, better, basis } = indicator
  const state = stateOf(indicator)
  const limit = words.limit(name, unit, threshold)
  return {
    name,
    label: name in SAID ? words.say(name) : name,
    state,
    stateWord: words.say(state),
    icon: ICON_OF[state],
    value: words.measure(name, unit, value) || '–',
    limit: words.say(better === 'higher' ? 'above' : 'below', { limit }),
    basis: basis > 0 ? basisOf(name, basis, words) : '',
  }
}

function basisOf(name, basis, words) {
  const said = BASIS[name] ?? 'basis'
  return words.say(basis === 1 ? `${said}One` : said, { count: words.count(basis) })
}

const troubleOf = (indicator, words) => ({
  level: stateOf(indicator),
  text: words.say(SAID[indicator.name], { value: words.measure(indicator.name, indicator.unit, indicator.value) }),
})

function lettersTold({ dead = 0 } = {}, words) {
  if (dead === 0) return []
  return [{ level: 'warning', text: words.say(dead === 1 ? 'saidLetter' : 'saidLetters', { count: dead }) }]
}

/**
 * Whether all is well, in a headline and sentences, the worst first.
 * @param {object | null} overview as the station tells it
 * @param {boolean} offline nothing is heard of the station now
 * @returns {{level: 'good' | 'warning' | 'bad', title: string, troubles: string[], unknown: string}}
 */
export function verdict(overview, offline, words) {
  const indicators = overview.indicators.filter(({ name }) => name in SAID)
  const troubles = [
    ...(offline ? [{ level: 'warning', text: words.say('saidOffline') }] : []),
    ...(overview.status === 'ok' ? [] : [{ level: 'bad', text: words.say('saidStatus') }]),
    ...indicators.filter((each) => ['warning', 'bad'].includes(stateOf(each))).map((each) => troubleOf(each, words)),
    ...lettersTold(overview.letters, words),
  ]
  const bad = troubles.filter(({ level }) => level === 'bad')
  const level = bad.length > 0 ? 'bad' : troubles.length > 0 ? 'warning' : 'good'
  const missing = indicators.filter((each) => stateOf(each) === 'unknown').map(({ name }) => words.say(name))
  return {
    level,
    title: words.say({ good: 'allWell', warning: 'lookNeeded', bad: 'somethingWrong' }[level]),
    troubles: [...bad, ...troubles.filter((each) => !bad.includes(each))].map(({ text }) => text),
    unknown: missing.length === 0 ? '' : words.say('unknownYet', { names: missing.join(words.say('comma')) }),
  }
}
