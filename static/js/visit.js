// One visit after another at a kiosk, as a pure machine: visit + what happened -> visit. It has no clock and asks
// nobody: time comes with the ticks, and `wish` says what the station should be asked next.

import { backoff } from './backoff.js'
import { NOTHING, outlook } from './outlook.js'
import { allowed, away, flowing, stageOf, started, SUMMARY } from './stage.js'

// How soon the screen says that a phone is here, and shows another code for one that was used.
const HANDOVER = 2000
// Nobody is in a hurry: a PIN may have been taken away from the station, or given in another window.
const PIN_AGAIN = 60000
// The station says that the session is over, but not how it ended.
const UNTOLD = 20000
// A screen that slept, or a clock that jumped, did not watch meanwhile.
const LONGEST_TICK = 2000
// A session that is gone the moment it is opened must not be opened again and again without a pause.
const GONE = 1000

/** The start: no session yet. */
export function newVisit() {
  return {
    /** opening | pin | ready | connected | receiving | idle | summary */
    stage: 'opening',
    sessionId: null,
    /** milliseconds without news after which a visit with nothing left to do is over */
    patience: 90000,
    /** what the last handover answered: url, codeUrl, code */
    handed: null,
    others: 0,
    feed: 'waiting',
    files: NOTHING,
    quiet: 0,
    /** the visitor said done while something is unfinished, and is asked whether that is meant */
    asking: false,
    /** null | wanted | asked: whether the station should complete, or was told to */
    ending: null,
    untold: null,
    shown: 0,
    calling: null,
    rest: 0,
    tries: 0,
    problem: null,
    at: null,
  }
}

const anew = ({ at, calling, tries, problem, rest }, pause = 0) => ({
  ...newVisit(),
  ...{ at, calling, tries, problem, rest: tries > 0 ? rest : pause },
})

/** What to ask the station now: open | handover | complete, or nothing. */
export function wish(visit) {
  const { stage, calling, rest, ending } = visit
  if (calling !== null || rest > 0 || stage === 'summary') return null
  if (stage === 'opening' || stage === 'pin') return 'open'
  return ending === 'wanted' && !flowing(visit) ? 'complete' : 'handover'
}

const answered = (visit) => ({ ...visit, calling: null, tries: 0, problem: null, rest: 0 })

function passed(visit, spent) {
  const quiet = Math.min(visit.quiet + spent, allowed(visit))
  if (quiet < allowed(visit) || visit.ending === 'wanted') return { ...visit, quiet }
  return { ...visit, quiet, asking: false, ending: 'wanted', rest: 0 }
}

function tick(before, { now }) {
  const spent = before.at === null ? 0 : Math.min(Math.max(now - before.at, 0), LONGEST_TICK)
  const visit = { ...before, at: now, rest: Math.max(0, before.rest - spent) }
  if (visit.stage === 'summary') {
    const shown = visit.shown + spent
    return shown < SUMMARY ? { ...visit, shown } : anew(visit)
  }
  if (away(visit)) return visit
  if (visit.untold !== null) {
    const untold = visit.untold + spent
    return untold < UNTOLD ? { ...visit, untold } : anew(visit)
  }
  return visit.files.count > 0 && visit.feed === 'live' ? passed(visit, spent) : visit
}

function seen(visit, { state, feed }) {
  if (state === null || state.sessionId !== visit.sessionId) return { ...visit, feed }
  const files = outlook(state)
  if (state.summary !== null) {
    if (files.count === 0) return anew(visit)
    const shown = visit.stage === 'summary' ? visit.shown : 0
    return { ...visit, feed, files, stage: 'summary', shown, asking: false }
  }
  if (files.mark === visit.files.mark) return { ...visit, feed }
  const ending = visit.ending === 'wanted' && visit.calling !== 'complete' ? null : visit.ending
  return { ...visit, feed, files, quiet: 0, asking: visit.asking && files.open > 0 && files.uploading === 0, ending }
}

function failed(visit, { problem, random }) {
  // Asked before the end was told.
  if (visit.stage === 'summary') return answered(visit)
  // Bytes may have begun to flow while the station was asked to complete.
  const ending = flowing(visit) ? null : visit.ending
  const at = { ...visit, calling: null, problem, ending }
  if (problem.code === 'PIN_REQUIRED' && !started(visit))
    return { ...at, stage: 'pin', tries: 0, rest: PIN_AGAIN, problem: null }
  if (problem.code === 'SESSION_NOT_FOUND' && started(visit)) return anew(answered(visit), GONE)
  if (problem.code === 'SESSION_CLOSED' && started(visit))
    return { ...answered(visit), rest: HANDOVER, ending: 'asked', untold: visit.untold ?? 0 }
  const rest = backoff(visit.tries, { base: 1000, cap: 15000, random, retryAfter: problem.retryAfter ?? null })
  return { ...at, tries: visit.tries + 1, rest }
}

const done = (visit) => {
  if (!started(visit) || visit.files.count === 0 || flowing(visit) || visit.ending !== null) return visit
  return visit.files.open > 0 ? { ...visit, asking: true } : sure({ ...visit, asking: true })
}

const sure = (visit) =>
  visit.asking ? { ...visit, asking: false, ending: 'wanted', rest: visit.tries > 0 ? visit.rest : 0 } : visit

const ON = {
  tick,
  seen,
  done,
  sure,
  stay: (visit) => ({ ...visit, asking: false }),
  moreTime: (visit) => {
    const late = visit.ending === 'asked' || visit.calling === 'complete'
    return { ...visit, quiet: 0, ending: late ? visit.ending : null }
  },
  next: (visit) => (visit.stage === 'summary' ? anew(visit) : visit),
  /** The right PIN was given. */
  admitted: (visit) => (visit.stage === 'pin' ? { ...visit, stage: 'opening', rest: 0 } : visit),
  /** The browser says that the network came or went: ask now instead of later. */
  network: (visit) => (visit.stage === 'pin' ? visit : { ...visit, rest: 0 }),
  called: (visit, { what }) => ({ ...visit, calling: what }),
  opened: (visit, { sessionId, patience }) => ({ ...anew(answered(visit)), stage: 'ready', sessionId, patience }),
  handed: (visit, { handed, others }) => {
    const rest = visit.ending === 'wanted' ? 0 : HANDOVER
    return { ...answered(visit), rest, handed, others }
  },
  completed: (visit) => ({ ...answered(visit), rest: HANDOVER, ending: 'asked', quiet: 0 }),
  failed,
  gone: (visit) => (started(visit) ? anew(visit, GONE) : visit),
}

/**
 * @param {object} visit
 * @param {{type: string, sessionId?: string | null}} event with a `sessionId` it is about that session only
 */
export function step(visit, event) {
  if (event.sessionId !== undefined && event.sessionId !== visit.sessionId && event.type !== 'opened') {
    // An answer that comes after its session is over still frees the line.
    return ['handed', 'completed', 'failed'].includes(event.type) ? answered(visit) : visit
  }
  const next = ON[event.type](visit, event)
  const stage = stageOf(next)
  return next.stage === stage ? next : { ...next, stage }
}
