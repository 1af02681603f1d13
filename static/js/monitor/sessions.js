// The second part: sessions, running and past, to be filtered, searched and opened. Draws the list.

import { watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { Bar, Facts } from '../parts.js'
import { fetchSessions } from './api.js'
import { Choice, ListEnd, Search, standing, Status } from './pieces.js'
import { useCategories } from './useCategories.js'
import { useAsked } from './useLists.js'
import { sessionLink } from './useRoute.js'

const STATES = ['all', 'running', 'completed', 'failed', 'cancelled']
const ANYTHING = { state: 'all', category: '', q: '' }

const NAMES = 3

/** The station tells one name more than are shown, if there is one. */
export const named = ({ names }, words) => {
  if (names.length === 0) return words.say('noNames')
  const shown = names.slice(0, NAMES).join(words.say('comma'))
  return names.length > NAMES ? words.say('namesMore', { names: shown }) : shown
}

const factsOf = (row, words) => [
  words.category(row.category),
  words.say('sessionFacts', { done: row.completedFiles, files: words.files(row.totalFiles) }),
  row.failedFiles > 0 ? words.say('failedCount', { count: row.failedFiles }) : '',
  row.cancelledFiles > 0 ? words.say('cancelledCount', { count: row.cancelledFiles }) : '',
  words.bytes(row.uploadedBytes),
  row.uploadingFiles > 0 ? words.speed(row.speed) : '',
  row.watchers > 0 ? words.say('watchedBy', { count: row.watchers }) : '',
  words.say('startedAt', { time: words.moment(row.openedAt) }),
  row.endedAt === null ? '' : words.say('endedAt', { time: words.moment(row.endedAt) }),
]

const Row = ({ row, words }) => html`
  <li class="file session" data-session=${row.sessionId} data-status=${row.overallStatus}>
    <a class="name" href=${sessionLink(row.sessionId)} title=${row.sessionId}>${named(row, words)}</a>
    ${
      row.endedAt === null &&
      html`<${Bar} label=${words.say('progressOf', { name: named(row, words) })} progress=${row.totalProgress} />`
    }
    <span class="state"><${Status} status=${standing(row.overallStatus, row.uploadingFiles)} words=${words} />
      ${row.endedAt === null && html`<span class="percent">${words.percent(row.totalProgress)}</span>`}</span>
    <${Facts} facts=${factsOf(row, words)} />
  </li>`
Row.props = ['row', 'words']

const toldIn = (overview) => new Map((overview?.sessions ?? []).map((row) => [row.sessionId, row]))

/** What runs is told with every overview; the list itself is asked for only when something changed. */
export const lively = (rows, overview) => {
  const now = toldIn(overview)
  return rows.map((row) => (row.endedAt === null ? (now.get(row.sessionId) ?? row) : row))
}

/** Whether a row is shown as moving that is not among those of which the overview tells. */
export const strayed = (rows, overview) => {
  const now = toldIn(overview)
  return rows.some((row) => row.endedAt === null && row.uploadingFiles > 0 && !now.has(row.sessionId))
}

export const Sessions = {
  props: ['at', 'words', 'id'],
  setup({ at }) {
    const { asked, list, put, more, refresh } = useAsked(at, fetchSessions, 'sessions', ANYTHING)
    const categories = useCategories(at)
    watch(at.overview, (overview) => strayed(list.value.rows, overview) && refresh())
    return ({ words }) => html`<section>
      <h1 tabindex="-1">${words.say('sessions')}</h1>
      <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
        <${Search} label=${words.say('searchSessions')} value=${asked.q} env=${at.env} onSearch=${put('q')} />
        <${Choice} label=${words.say('state')} value=${asked.state} onChoose=${put('state')}
          options=${STATES.map((name) => [name, words.say(name)])} />
        <${Choice} label=${words.say('category')} value=${asked.category} onChoose=${put('category')}
          options=${categories.options(words)} />
      </form>
      <ul class="files" aria-label=${words.say('sessions')}>
        ${lively(list.value.rows, at.overview.value).map(
          (row) => html`<${Row} key=${row.sessionId} row=${row} words=${words} />`,
        )}</ul>
      <${ListEnd} list=${list.value} none="noSessions" words=${words} onMore=${more} />
    </section>`
  },
}
