// The second step: everything that is on its way, fed by the station's events. Only draws; useUploads does.

import { ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Refused } from './chosen.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { Bar, Facts, Looking, Picker, Problem, underWay } from './parts.js'
import { Row } from './row.js'
import { useFocus } from './useFocus.js'
import { useSeconds } from './useSeconds.js'

/** Which sentence heads the page: what it is waiting for, if it is. */
function heading(at) {
  const { active, waiting, paused, failed, done, count } = at.sum.value
  if (at.mine.value.length === 0 && at.wanted.value.length === 0) return 'watching'
  if (active > 0) return at.online.value ? 'sending' : 'offlineTitle'
  if (waiting > 0) return at.online.value ? 'waitingTitle' : 'offlineTitle'
  if (at.wanted.value.length > 0) return 'attentionTitle'
  if (paused > 0) return 'pausedTitle'
  if (failed > 0) return 'attentionTitle'
  return count > 0 && done === count ? 'arrivedTitle' : 'sending'
}

// The last speed that was told is no speed once nothing is heard any more.
const isCutOff = (at) => at.online.value === false || at.status.value === 'offline'

function overall(at, words) {
  const { progress, sent, uploaded, total, remaining, speed, done, count, active } = at.sum.value
  const moving = active > 0 && !isCutOff(at) ? [words.speed(speed), words.left(remaining)] : []
  const facts = [words.say('sizeOf', { part: words.bytes(uploaded), whole: words.bytes(total) }), ...moving]
  return html`
    <p class="sum"><b class="percent">${words.percent(progress)}</b>
      <span class="facts">${words.say('doneOf', { done, files: words.files(count) })}</span></p>
    <${Bar} label=${words.say('overall')} progress=${progress} sent=${sent} tone="all" />
    <${Facts} facts=${facts} />`
}

const ALL = [
  ['pauseAll', 'pause', 'pauseAll'],
  ['resumeAll', 'play', 'resumeAll'],
  ['retryAll', 'rotate-cw', 'retryAll'],
  ['cancelAll', 'x', 'askCancelAll'],
]

const forAll = (at, words) => html`
  <div class="for-all" role="group" aria-label=${words.say('everything')}>${ALL.filter(
    ([name]) => at.can.value[name],
  ).map(
    ([name, icon, action]) => html`
    <button key=${name} type="button" class=${`plain ${name}`} ...${underWay(at.page.ordered.includes(name))}
      onClick=${() => at[action]()}>
      <${Icon} name=${icon} />${words.say(name)}</button>`,
  )}</div>`

const wantedCard = (wanted, at, words) =>
  wanted.length > 0 &&
  html`
  <section class="card">
    <h2>${words.say('wantedTitle')}</h2>
    <p>${words.say('wanted')}</p>
    <p class="hint">${words.files(wanted.length)} · ${words.bytes(wanted.reduce((sum, { size }) => sum + size, 0))}</p>
    <${Picker} label=${words.say('wantedPick')} look="wide" icon="upload" onFiles=${at.choose} />
  </section>`

const finishNow = (at) => {
  const open = at.list.value.some(({ phase, canCancel }) => phase !== 'completed' && canCancel)
  if (open) at.askFinish()
  else at.finish()
}

const dock = (at, words) => {
  const { finish, add } = at.can.value
  return (
    (finish || add) &&
    html`<div class="dock two">
    ${
      add &&
      html`<${Picker} label=${words.say('addMore')} look=${finish ? 'quiet' : 'quiet wide'} icon="plus"
      onFiles=${at.choose} />`
    }
    ${
      finish &&
      html`<button type="button" class="button finish" ...${underWay(at.page.ordered.includes('finish'))}
        onClick=${() => finishNow(at)}>
      <${Icon} name="check" />${words.say('finish')}</button>`
    }
  </div>`
  )
}

function staying(at) {
  if (at.mine.value.length === 0) return null
  if (at.can.value.finish) return 'pressDone'
  return at.awake.value ? 'awake' : 'keepOpen'
}

const hints = (at, words) => html`
  <p class="hint">${staying(at) && words.say(staying(at))}${' '}${words.say('share')}</p>`

const problems = (at, words, contact) =>
  [at.state.value.fault, at.page.problem]
    .filter(Boolean)
    .map((problem) => html`<${Problem} problem=${problem} words=${words} contact=${contact} />`)

const where = (at, words) => {
  const category = at.state.value.category ?? at.page.category
  return category && html`<p class="hint into">${words.say('into', { category: words.category(category) })}</p>`
}

export const Sending = {
  props: ['at', 'words'],
  setup({ at }) {
    const place = ref(null)
    useFocus(place)
    const clock = useSeconds(() => at.list.value.some(({ retryAt }) => typeof retryAt === 'number'))
    return ({ words }) => {
      const contact = at.config.value?.contact
      const list = at.list.value
      const still = isCutOff(at)
      return html`<section ref=${place}>
        <h1 tabindex="-1">${words.say(heading(at))}</h1>
        ${problems(at, words, contact)}
        ${wantedCard(at.wanted.value, at, words)}
        ${
          list.length === 0
            ? html`<p class="intro">${words.say('noFilesYet')}</p>`
            : html`<div class="overall">${overall(at, words)}${forAll(at, words)}</div>`
        }
        <${Looking} count=${at.page.preparing} words=${words} />
        <${Refused} refused=${at.refused.value} words=${words} contact=${contact} rest=${true} onDismiss=${at.dismiss} />
        <ul class="files">${list.map(
          (row) => html`<${Row} key=${row.key} row=${row} ordered=${at.page.ordered.includes(row.key)} at=${at} words=${words}
            contact=${contact} clock=${clock} still=${still} />`,
        )}</ul>
        ${where(at, words)}${hints(at, words)}
        ${dock(at, words)}
      </section>`
    }
  },
}
