// What the phone sends, live, and how the visit ends. Only draws; useKiosk decides.

import { ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { Bar } from './parts.js'
import { Code, Scan } from './welcome.js'

const ENDED = ['completed', 'failed', 'cancelled']

const pace = ({ speed, remaining }, words) => [words.speed(speed), remaining !== null && words.left(remaining)]

// How fast it was when the station was last seen, nobody wants to know.
const facts = (row, words, away) =>
  [words.bytes(row.size), ...(away && row.phase === 'uploading' ? [] : pace(row, words))].filter(Boolean)

function said(row, words, contact, away) {
  if (row.phase === 'cancelled') return words.cancelled(row.reason)
  if (row.phase === 'uploading' || row.phase === 'completed') return facts(row, words, away).join(' · ')
  if (row.phase !== 'failed') return words.say(row.phase)
  const { message, advice } = words.error(row.problem, contact)
  return message + advice
}

const mark = (row, words) =>
  row.phase === 'completed' ? html`<${Icon} name="check" />` : !ENDED.includes(row.phase) && words.percent(row.progress)

const Row = ({ row, words, contact, away }) => html`
  <li class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
    <span class="name">${row.name}</span>
    <span class="state">${said(row, words, contact, away)}</span>
    <span class="percent">${mark(row, words)}</span>
    <${Bar} label=${words.say('progressOf', { name: row.name })} progress=${row.progress} tone=${row.phase} />
  </li>`
Row.props = ['row', 'words', 'contact', 'away']

/** Scrolls to the newest by itself; nobody may be there to do it. */
const Files = {
  props: ['rows', 'words', 'contact', 'away'],
  setup(props) {
    const list = ref(null)
    const toNewest = () => list.value?.scrollTo({ top: list.value.scrollHeight })
    watch(() => props.rows.length, toNewest, { flush: 'post' })
    return ({ rows, words, contact, away }) => html`
      <ul class="files" ref=${list} tabindex="0" role="list" aria-label=${words.say('filesHere')}>
        ${rows.map(
          (row) => html`<${Row} key=${row.key} row=${row} words=${words} contact=${contact} away=${away} />`,
        )}
      </ul>`
  },
}

function headline({ sum, moving, unfinished }) {
  if (moving.value) return 'receivingTitle'
  return unfinished.value === 0 && sum.value.count > 0 ? 'arrivedAll' : 'restTitle'
}

const asked = (at, words) => html`<div class="end" role="group" aria-labelledby="sure">
  <p id="sure">${words.say('doneSure', { files: words.files(at.unfinished.value) })}</p>
  <button type="button" class="button quiet" onClick=${at.stay}>${words.say('doneNo')}</button>
  <button type="button" class="button danger" onClick=${at.sure}>${words.say('doneYes')}</button>
</div>`

const countdown = ({ ending, left }, words) =>
  html`<p class="ends">${ending.value ? words.say('ending') : words.say('endsIn', { count: left.value })}</p>`

const longer = (at, words) =>
  html`<button type="button" class="button quiet" onClick=${at.moreTime}>${words.say('moreTime')}</button>`

function closing(at, words) {
  const idle = at.stage.value === 'idle'
  const ending = at.ending.value
  return html`<div class="end">
    ${idle && countdown(at, words)}
    ${at.moving.value && html`<p class="hint">${words.say('doneWait')}</p>`}
    ${idle && !ending && longer(at, words)}
    <button type="button" class="button" disabled=${at.flowing.value || ending} onClick=${at.done}>
      ${words.say('done')}</button>
  </div>`
}

const summed = (title, { count, done, progress }, words) => html`<div class="sum">
  <h1 tabindex="-1">${words.say(title)}</h1>
  <p class="intro">
    ${words.say('receivedOf', { done, count })} · <span class="percent">${words.percent(progress)}</span></p>
  <${Bar} label=${words.say('overall')} progress=${progress} tone=${progress >= 100 ? 'completed' : ''} />
</div>`

export const Receiving = ({ at, words }) => html`<section class="receiving">
    ${summed(headline(at), at.sum.value, words)}
    <${Files} rows=${at.list.value} words=${words} contact=${at.config.value?.contact} away=${at.away.value} />
    <aside class="join" aria-label=${words.say('others')}>
      <${Scan} at=${at} words=${words} />
      <p class="hint">${words.say('others')}</p>
      <${Code} handed=${at.handed.value} words=${words} />
    </aside>
    ${at.asking.value ? asked(at, words) : closing(at, words)}
  </section>`
Receiving.props = ['at', 'words']
