// One file on its way: its bar, its numbers, its buttons, what went wrong with it. Only draws.

import { html } from './html.js'
import { Icon } from './icons.js'
import { Bar, Facts, IconButton, Picker, Problem } from './parts.js'
import { pictureOf } from './checks.js'

const MOVING = ['uploading', 'paused', 'waiting', 'saving']

/** Drawn by itself once a second: nothing else of its row is. `clock` is a ref of milliseconds. */
export const Countdown = ({ until, clock, words }) =>
  words.say('waitingIn', { time: words.seconds(Math.max(1, Math.ceil((until - clock.value) / 1000))) })
Countdown.props = ['until', 'clock', 'words']

function saying(row, words, clock) {
  if (row.phase === 'cancelled') return words.cancelled(row.reason)
  if (row.phase !== 'waiting') return words.say(row.phase)
  if (row.retryAt) return html`<${Countdown} until=${row.retryAt} clock=${clock} words=${words} />`
  return words.say(row.problem?.code === 'OFFLINE' ? 'waitingNetwork' : 'waiting')
}

const state = (row, words, clock) => [
  (row.progress > 0 || MOVING.includes(row.phase)) && html`<b class="percent">${words.percent(row.progress)}</b> `,
  saying(row, words, clock),
]

const sizes = (row, words) =>
  MOVING.includes(row.phase) && row.size
    ? words.say('sizeOf', { part: words.bytes(row.uploaded), whole: words.bytes(row.size) })
    : words.bytes(row.size)

function numbers(row, words, still) {
  if (still && row.phase !== 'completed') return [sizes(row, words)]
  const speed = row.phase !== 'completed' ? row.speed : row.duration < 1 ? null : row.finalSpeed
  return [sizes(row, words), words.speed(speed), words.left(row.remaining)]
}

// One place for pause and resume: the button that is pressed stays, and so does the focus.
const BUTTONS = [
  { action: 'pause', place: 1, icon: 'pause', label: 'pauseNamed', offered: ({ canPause }) => canPause },
  { action: 'resume', place: 1, icon: 'play', label: 'resumeNamed', offered: ({ canResume }) => canResume },
  {
    action: 'retry',
    place: 2,
    icon: 'rotate-cw',
    label: 'retryNamed',
    offered: ({ canRetry, wanted }) => canRetry && !wanted,
  },
  { action: 'cancel', place: 3, icon: 'x', label: 'cancelNamed', offered: ({ canCancel }) => canCancel },
]

const buttons = (row, ordered, at, words) => html`
  <span class="actions">${BUTTONS.filter(({ offered }) => offered(row)).map(
    ({ action, place, icon, label }) =>
      html`<${IconButton} key=${place} icon=${icon} look=${action} label=${words.say(label, { name: row.name })}
        ordered=${ordered && action === 'cancel'} onPress=${() => at[action](row)} />`,
  )}</span>`

const again = (row, at, words) => html`
  <div class="again">
    <p class="hint">${words.say('wantedRow')}</p>
    <${Picker} label=${words.say('chooseAgain')} name=${words.say('wantedNamed', { name: row.name })}
      look="quiet" onFiles=${at.choose} />
  </div>`

// The line mends itself, and the page tries again: whoever waits is not told to.
const ofTheLine = ({ message }, words) =>
  html`<p class="problem" data-kind="network"><strong>${message}</strong>${words.say('checkLine')}</p>`

function trouble(row, words, contact) {
  if (!row.problem) return null
  const told = words.error(row.problem, contact)
  if (told.kind === 'network' && row.phase !== 'failed') return ofTheLine(told, words)
  if (!['failed', 'waiting'].includes(row.phase)) return null
  return html`<${Problem} problem=${row.problem} words=${words} contact=${contact} quiet=${true} />`
}

/** Whether what arrived is what this device has. */
export const checkedNote = (row, words, contact) =>
  ({
    checking: () => html`<p class="checked hint">${words.say('checking')}</p>`,
    same: () => html`<p class="checked same"><${Icon} name="shield-check" />${words.say('checkedSame')}</p>`,
    different: () => html`<p class="problem checked">
      <strong>${words.say('checkedDifferent', { contact: contact || words.say('someone') })}</strong></p>`,
  })[row.checked]?.() ?? null

const PICTURE = { completed: 'circle-check', failed: 'circle-alert', cancelled: 'ban' }

export const Row = ({ row, ordered, at, words, contact, clock, still }) => html`
  <li class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
    <${Icon} name=${PICTURE[row.phase] ?? pictureOf(row.name)} />
    <span class="name">${row.name}</span>
    ${buttons(row, ordered, at, words)}
    ${
      row.phase !== 'cancelled' &&
      html`<${Bar} label=${words.say('progressOf', { name: row.name })} progress=${row.progress}
        sent=${row.sent} tone=${row.phase} />`
    }
    <${Facts} facts=${[state(row, words, clock), ...numbers(row, words, still)]} />
    ${trouble(row, words, contact)}
    ${row.wanted && again(row, at, words)}
    ${row.elsewhere && html`<p class="hint">${words.say('elsewhere')}</p>`}
    ${checkedNote(row, words, contact)}
  </li>`
Row.props = ['row', 'ordered', 'at', 'words', 'contact', 'clock', 'still']
