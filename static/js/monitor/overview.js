// The first part: whether all is well, the indicators, numbers of now, what is stored. Draws; indicators.js judges.

import { html } from '../html.js'
import { Bar } from '../parts.js'
import { distribution } from './bars.js'
import { fetchDistribution } from './api.js'
import { Charts } from './charts.js'
import { Icon } from './icons.js'
import { card, ICON_OF, verdict } from './indicators.js'
import { Mark, standing, Status } from './pieces.js'
import { useFetched } from './useLists.js'
import { sessionLink } from './useRoute.js'

const Verdict = ({ at, words }) => {
  const overview = at.overview.value
  const { level, title, troubles, unknown } = verdict(overview, at.deaf.value, words)
  return html`<section class=${`verdict ${level}`} data-level=${level}>
    <${Icon} name=${ICON_OF[level]} />
    <div>
      <h1 tabindex="-1">${title}</h1>
      ${troubles.length > 0 && html`<ul>${troubles.map((text) => html`<li key=${text}>${text}</li>`)}</ul>`}
      <p class="hint">${words.say('wellFor', { time: words.seconds(overview.uptime), version: overview.version })}
        ${' '}${unknown}</p>
    </div>
  </section>`
}
Verdict.props = ['at', 'words']

const Card = ({ of: { name, label, state, stateWord, icon, value, limit, basis } }) => html`
  <li class=${`indicator ${state}`} data-indicator=${name} data-state=${state}>
    <h3>${label}</h3>
    <p class="value">${value}</p>
    <${Mark} state=${state} icon=${icon} word=${stateWord} />
    <p class="hint">${limit}</p>${basis && html`<p class="hint">${basis}</p>`}
  </li>`
Card.props = ['of']

const fact = (label, value, more) => html`
  <div key=${label}><dt>${label}</dt><dd>${value || '–'}${more && html`<small>${more}</small>`}</dd></div>`

const watching = ({ websocket = 0, sse = 0, polling = 0 } = {}) => websocket + sse + polling

const freeOf = ({ free, total }, words) =>
  words.say('diskOf', { free: words.percent((free / total) * 100), total: words.bytes(total) })

const facts = ({ now, disk, stored, process }, words) => html`<dl class="facts-of">
  ${fact(words.say('nowThroughput'), words.speed(now.throughput))}
  ${fact(words.say('nowUploads'), words.count(now.uploads))}
  ${fact(words.say('nowSessions'), words.count(now.sessions))}
  ${fact(words.say('nowWatchers'), words.count(watching(now.watchers)))}
  ${fact(words.say('storedFiles'), words.count(stored.files), words.bytes(stored.bytes))}
  ${fact(words.say('diskFree'), words.bytes(disk.free), freeOf(disk, words))}
  ${fact(words.say('perDay'), words.bytes(disk.perDay))}
  ${fact(words.say('process'), words.bytes(process.memory), words.measure('cpu', '%', process.cpu))}
</dl>`

// Few enough to be looked over.
const SHOWN = 8

/**
 * The sessions that have files, as the station sorts them: what moves comes first. It tells of some only, and how many
 * there are.
 */
export function moving({ sessions, now }) {
  const rows = sessions.filter(({ names }) => names.length > 0).slice(0, SHOWN)
  return { rows, more: now.sessionsWithFiles - rows.length }
}

const running = ({ rows, more }, words) =>
  rows.length > 0 &&
  html`<h2>${words.say('running')}</h2><ul class="running">${rows.map(
    ({ sessionId, names, totalProgress, overallStatus, uploadingFiles, speed }) => html`<li key=${sessionId}>
      <a href=${sessionLink(sessionId)}>${names[0]}</a>
      <${Bar} label=${words.say('progressOf', { name: names[0] })} progress=${totalProgress} />
      <span class="facts"><${Status} status=${standing(overallStatus, uploadingFiles)} words=${words} />
        ${uploadingFiles > 0 && words.speed(speed)}</span>
    </li>`,
  )}</ul>
  ${more > 0 && html`<p><a href="#/sessions">${words.say('moreRunning', { count: words.count(more) })}</a></p>`}`

const barsOf = (title, rows) => html`<section class="bars">
  <h3>${title}</h3>
  <ul>${rows.map(
    ({ key, label, share, text }) => html`<li key=${key}>
      <span class="label">${label}</span><span class="facts">${text}</span>
      <svg class="share" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        <rect width=${share} height="1" /></svg>
    </li>`,
  )}</ul>
</section>`

// The station counts no more often, so what it answers may be older than the change that had us ask.
const COUNTED_EVERY = 30000

export const Distribution = {
  props: ['at', 'words'],
  setup({ at }) {
    const { value } = useFetched(at, () => fetchDistribution(at.env), at.changes, COUNTED_EVERY)
    return ({ words }) => {
      if (value.value === null) return null
      const { empty, sizes, types, categories } = distribution(value.value, words)
      return html`<section class="distribution">
        <h2>${words.say('distribution')}</h2>
        ${
          empty
            ? html`<p class="hint">${words.say('nothingStored')}</p>`
            : html`<div class="columns">
            ${barsOf(words.say('sizes'), sizes)}${barsOf(words.say('types'), types)}
            ${barsOf(words.say('categories'), categories)}</div>
            <p class="hint">${words.say('takenCounts')}</p>`
        }
      </section>`
    }
  },
}

const numbers = (overview, words) => html`
  <h2>${words.say('indicators')}</h2>
  <ul class="indicators">${overview.indicators.map(
    (each) => html`<${Card} key=${each.name} of=${card(each, words)} />`,
  )}</ul>
  <h2>${words.say('now')}</h2>${facts(overview, words)}${running(moving(overview), words)}`

export const Overview = ({ at, words }) =>
  at.overview.value === null
    ? html`<section><h1 tabindex="-1">${words.say('monitorTitle')}</h1>
    <p class="intro">${words.say('waitingData')}</p></section>`
    : html`<section>
    <${Verdict} at=${at} words=${words} />
    ${numbers(at.overview.value, words)}
    <${Charts} at=${at} words=${words} />
    <${Distribution} at=${at} words=${words} />
  </section>`
Overview.props = ['at', 'words', 'id']
