// The second step: one bar per file, fed by the station's events. Only draws; useUploads does.

import { ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Bar, Picker, Problem } from './parts.js'
import { Refused } from './choose.js'

function facts(row, words) {
  const sizes =
    ['uploading', 'paused'].includes(row.phase) && row.size
      ? `${words.bytes(row.uploaded)} / ${words.bytes(row.size)}`
      : words.bytes(row.size)
  const left = row.remaining === null ? '' : words.say('remaining', { time: words.seconds(row.remaining) })
  return [sizes, row.speed ? words.speed(row.speed) : '', left].filter((text) => text !== '').join(' · ')
}

const saying = (row, words) => {
  if (row.phase === 'waiting') return words.say('waiting')
  if (row.phase === 'cancelled') return words.cancelled(row.reason)
  return words.say(row.phase)
}

export const Row = ({ row, words, contact, onCancel, onRetry }) => html`
  <li class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
    <span class="name">${row.name}</span>
    <span class="percent">${words.percent(row.progress)}</span>
    <${Bar} label=${words.say('progressOf', { name: row.name })} progress=${row.progress} tone=${row.phase} />
    <span class="facts">${saying(row, words)}${' · '}${facts(row, words)}</span>
    ${
      (row.canRetry || row.canCancel) &&
      html`<span class="actions">
      ${
        (row.canRetry || row.phase === 'waiting') &&
        row.entry &&
        html`<button type="button" class="plain retry"
        aria-label=${words.say('retryNamed', { name: row.name })} onClick=${() => onRetry(row)}>${words.say('retry')}</button>`
      }
      ${
        row.canCancel &&
        html`<button type="button" class="plain cancel"
        aria-label=${words.say('cancelNamed', { name: row.name })} onClick=${() => onCancel(row)}>${words.say('cancel')}</button>`
      }
    </span>`
    }
    ${row.phase === 'failed' && html`<${Problem} problem=${row.problem} words=${words} contact=${contact} />`}
    ${row.elsewhere && html`<p class="hint">${words.say('elsewhere')}</p>`}
  </li>`
Row.props = ['row', 'words', 'contact', 'onCancel', 'onRetry']

function overall(at, words) {
  const { totalProgress, completedFiles, estimatedTimeRemaining, overallStatus } = at.state.value
  const total = at.list.value.length
  const left =
    estimatedTimeRemaining && overallStatus === 'uploading'
      ? ` · ${words.say('remaining', { time: words.seconds(estimatedTimeRemaining) })}`
      : ''
  // Said in steps of ten, or a screen reader would never stop talking.
  const step = Math.floor(totalProgress / 10) * 10
  return html`<div class="overall">
    <p class="sum"><span class="percent">${words.percent(totalProgress)}</span>
      <span class="facts">${words.say('doneOf', { done: completedFiles, total })}${left}</span></p>
    <${Bar} label=${words.say('overall')} progress=${totalProgress} tone="all" />
    <p class="heard" role="status">${words.say('overallSaid', { done: completedFiles, total, percent: words.percent(step) })}</p>
  </div>`
}

/** Everything at once asks first: it cannot be undone. */
export const CancelAll = {
  props: ['words', 'onCancelAll'],
  setup(props) {
    const asking = ref(false)
    return () =>
      asking.value
        ? html`<div class="sure" role="group" aria-label=${props.words.say('cancelAll')}>
          <p role="alert">${props.words.say('cancelSure')}</p>
          <button type="button" class="button danger" onClick=${() => {
            asking.value = false
            props.onCancelAll()
          }}>
            ${props.words.say('cancelYes')}</button>
          <button type="button" class="button quiet" onClick=${() => {
            asking.value = false
          }}>${props.words.say('cancelNo')}</button>
        </div>`
        : html`<button type="button" class="button quiet cancel-all" onClick=${() => {
            asking.value = true
          }}>
          ${props.words.say('cancelAll')}</button>`
  },
}

export const Sending = ({ at, words }) => {
  const contact = at.config.value?.contact
  const { fault } = at.state.value
  const list = at.list.value
  return html`<section>
    <h1 tabindex="-1">${words.say(at.mine.value.length > 0 ? 'sending' : 'watching')}</h1>
    ${fault && html`<${Problem} problem=${fault} words=${words} contact=${contact} />`}
    ${at.page.problem && html`<${Problem} problem=${at.page.problem} words=${words} contact=${contact} />`}
    ${list.length === 0 ? html`<p class="intro">${words.say('noFilesYet')}</p>` : overall(at, words)}
    <${Refused} refused=${at.refused.value} words=${words} contact=${contact} onDismiss=${at.dismiss} />
    <ul class="files">
      ${list.map(
        (row) => html`<${Row} key=${row.key} row=${row} words=${words} contact=${contact}
        onCancel=${at.cancel} onRetry=${at.retry} />`,
      )}
    </ul>
    <div class="foot">
      ${at.config.value && html`<${Picker} label=${words.say('addMore')} quiet=${true} onFiles=${at.choose} />`}
      ${list.some(({ canCancel }) => canCancel) && html`<${CancelAll} words=${words} onCancelAll=${at.cancelAll} />`}
    </div>
    <p class="hint share">${words.say('share')}</p>
  </section>`
}
Sending.props = ['at', 'words']
