// One session opened: how it stands, its files and why they failed, everything that happened, and cancelling it. Draws.

import { ref } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { Bar, Facts } from '../parts.js'
import { cancelSession } from './api.js'
import { Icon } from './icons.js'
import { namesOf, sentence } from './log.js'
import { Problems, standing, Status, Sure } from './pieces.js'
import { useOrder } from './useLists.js'
import { useSession } from './useSession.js'
import { filesIn, goneOf, isRunning, whyOf } from './watched.js'

const PAGE = 100
const WORST_FIRST = ['failed', 'uploading', 'paused', 'pending', 'cancelled', 'completed']
const CANCEL = { title: 'cancelAsk', text: 'cancelText', yes: 'cancelDo', no: 'keep' }

const File = ({ file, why, gone, words }) => html`<li class=${`file ${gone ? 'deleted' : file.status}`}
  data-file=${file.originalName}>
  <span class="name">${file.originalName || words.say('unknownFile')}</span>
  ${
    file.status === 'uploading' &&
    html`<${Bar} label=${words.say('progressOf', { name: file.originalName })} progress=${file.progress} />`
  }
  <${Facts} facts=${[
    words.status(file.status),
    gone ? words.say(gone) : '',
    file.status === 'completed'
      ? words.bytes(file.totalBytes)
      : words.say('partly', { part: words.bytes(file.uploadedBytes), whole: words.bytes(file.totalBytes) || '?' }),
    file.status === 'uploading' ? words.speed(file.uploadSpeed) : '',
    file.retryCount > 0 ? words.say('attempts', { count: file.retryCount + 1 }) : '',
    gone ? '' : (file.uploadPath ?? ''),
  ]} />
  ${why && html`<p class="problem">${words.why(why)}</p>`}
</li>`
File.props = ['file', 'why', 'gone', 'words']

const Entry = ({ entry, words }) => html`<li class=${`entry ${entry.tone}`} data-number=${entry.number}>
  <span class="when">${words.instant(entry.at)}
    ${entry.number !== null && html`<small>${` #${entry.number}`}</small>`}</span>
  <span class="what">${entry.text}</span>
  <details><summary>${words.say('raw')}</summary><pre tabindex="0">${entry.raw}</pre></details>
</li>`
Entry.props = ['entry', 'words']

/** A long list, a page at a time. */
const Long = {
  props: ['rows', 'words', 'look', 'draw'],
  setup() {
    const shown = ref(PAGE)
    const more = () => {
      shown.value += PAGE
    }
    return ({ rows, words, look, draw }) => html`
      <ul class=${look}>${rows.slice(0, shown.value).map(draw)}</ul>
      ${
        rows.length > shown.value &&
        html`<button type="button" class="button quiet" onClick=${more}>${words.say('more')}</button>`
      }`
  },
}

const ordered = (files) =>
  [...files].sort((one, other) => WORST_FIRST.indexOf(one.status) - WORST_FIRST.indexOf(other.status))

const body = ({ state, events, deeds }, words) => {
  const why = whyOf(events)
  const gone = goneOf(deeds)
  const names = namesOf(state.files)
  const entries = [...events].reverse().map((event) => sentence(event, names, words))
  const file = (each) => html`<${File} key=${each.id} file=${each} words=${words}
    why=${each.status === 'failed' ? (each.error ?? why.get(each.id)) : null} gone=${gone.get(each.id)} />`
  const entry = (each) => html`<${Entry} key=${each.key} entry=${each} words=${words} />`
  return html`
    <h2>${words.say('filesOf')}</h2>
    ${state.files.length === 0 && html`<p class="hint">${words.say('noNames')}</p>`}
    <${Long} rows=${ordered(state.files)} words=${words} look="files" draw=${file} />
    <h2>${words.say('eventsOf')}</h2>
    ${entries.length === 0 && html`<p class="hint">${words.say('noEvents')}</p>`}
    <${Long} rows=${entries} words=${words} look="log" draw=${entry} />
    ${
      deeds.length > 0 &&
      html`<h2>${words.say('deedsOf')}</h2>
      <ul class="log">${deeds.map((deed) => entry(sentence(deed, names, words)))}</ul>`
    }`
}

const head = (watched, words) => {
  const { state, openedAt, endedAt } = watched
  const running = isRunning(watched)
  const uploading = state.files.filter(({ status }) => status === 'uploading').length
  return html`
    ${running && html`<${Bar} label=${words.say('overall')} progress=${state.totalProgress} />`}
    <p class="state"><${Status} status=${standing(state.overallStatus, uploading)} words=${words} />
      <${Facts} facts=${[
        running ? words.percent(state.totalProgress) : '',
        words.category(state.category),
        words.say('sessionFacts', { done: state.completedFiles, files: words.files(filesIn(watched)) }),
        words.say('startedAt', { time: words.moment(openedAt) }),
        endedAt === null ? '' : words.say('endedAt', { time: words.moment(endedAt) }),
      ]} /></p>`
}

export const Session = {
  props: ['at', 'id', 'words'],
  setup({ at, id }) {
    const { watched, problem, load } = useSession(at, id)
    const order = useOrder(at)
    const asking = ref(false)
    const ask = (now) => () => {
      asking.value = now
    }
    const cancel = async () => {
      asking.value = false
      if (!(await order.give(() => cancelSession(at.env, id), 'cancelling'))) return
      at.say('saidCancelled')
      load()
    }
    return ({ words }) => html`<section class="opened">
      <a class="plain" href="#/sessions"><${Icon} name="arrow-left" />${words.say('toSessions')}</a>
      <h1 tabindex="-1" title=${id}>${words.session(id)}</h1>
      <${Problems} of=${[problem.value, order.problem.value]} words=${words} />
      ${watched.value === null && !problem.value && html`<p class="hint">${words.say('loadingList')}</p>`}
      ${watched.value !== null && head(watched.value, words)}
      ${
        watched.value !== null &&
        isRunning(watched.value) &&
        html`<button type="button" class="button danger" onClick=${ask(true)}>${words.say('cancelSession')}</button>`
      }
      ${watched.value !== null && body(watched.value, words)}
      ${asking.value && html`<${Sure} asked=${CANCEL} words=${words} onYes=${cancel} onNo=${ask(false)} />`}
    </section>`
  },
}
