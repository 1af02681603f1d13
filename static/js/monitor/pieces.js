// Small things to draw on the operator's page: a state, a place for notices, a search, a question. Only draw.

import { onScopeDispose, ref } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { answers, Dialog } from '../dialog.js'
import { html } from '../html.js'
import { Icon } from './icons.js'

/** By colour, icon and word: no one of them alone. */
export const Mark = ({ state, icon, word }) => html`
  <span class=${`mark ${state}`}><${Icon} name=${icon} />${word}</span>`
Mark.props = ['state', 'icon', 'word']

const STATUS_ICONS = {
  pending: 'circle-help',
  waiting: 'circle-help',
  uploading: 'upload',
  paused: 'pause',
  completed: 'circle-check',
  failed: 'circle-alert',
  cancelled: 'ban',
}

/** How a session or a file stands. */
export const Status = ({ status, words }) => html`
  <span class=${`mark of-${status}`}>
    <${Icon} name=${STATUS_ICONS[status] ?? 'circle-help'} />${words.status(status)}
  </span>`
Status.props = ['status', 'words']

/** A session is said to be uploading until it ends: that nobody sends anything is another thing. */
export const standing = (overallStatus, uploadingFiles) =>
  overallStatus === 'uploading' && uploadingFiles === 0 ? 'waiting' : overallStatus

/** What just happened, seen and heard. The place is there before anything is said. */
export const Notice = ({ at, words }) => html`
  <p class=${at.notice.value ? 'toast' : 'heard'} role="status">
    ${at.notice.value && words.say(at.notice.value.name, at.notice.value.values)}</p>`
Notice.props = ['at', 'words']

/** What went wrong, seen and heard; of an order, with what it was. Nothing for those that are null. */
export const Problems = ({ of, words }) =>
  of.filter(Boolean).map((problem) => html`<p class="problem" role="alert">${words.failed(problem)}</p>`)
Problems.props = ['of', 'words']

/** @param {{title, text, yes, no}} asked names of sentences, and `values` to fill them with */
export const Sure = ({ asked, words, onYes, onNo }) => html`
  <${Dialog} title=${words.say(asked.title)} onClose=${onNo} onConfirm=${onYes}>
    <p>${words.say(asked.text, asked.values)}</p>
    ${answers(words.say(asked.yes), words.say(asked.no), true, onNo)}
  <//>`
Sure.props = ['asked', 'words', 'onYes', 'onNo']

/** What the address asks and nobody offers is shown all the same: it is what is asked. */
export const Choice = ({ label, value, options, onChoose }) => html`
  <label class="field">${label}
    <select value=${value} onChange=${({ target }) => onChoose(target.value)}>
      ${[...options, ...(options.some(([name]) => name === value) ? [] : [[value, value]])].map(
        ([name, text]) => html`<option key=${name} value=${name} selected=${name === value}>${text}</option>`,
      )}
    </select></label>`
Choice.props = ['label', 'value', 'options', 'onChoose']

// Asked once somebody stops typing, not with every letter.
const PAUSE = 300

export const Search = {
  props: ['label', 'value', 'env', 'onSearch'],
  setup(props) {
    const typed = ref(props.value)
    let timer = null
    onScopeDispose(() => props.env.clearTimeout(timer))
    const type = ({ target }) => {
      typed.value = target.value
      props.env.clearTimeout(timer)
      timer = props.env.setTimeout(() => props.onSearch(typed.value.trim()), PAUSE)
    }
    return () => html`<label class="field">${props.label}
      <input type="search" value=${typed.value} maxlength="200" autocomplete="off" spellcheck="false" onInput=${type} />
    </label>`
  },
}

/** The end of a list: that there is nothing, that more can be had, or what went wrong and can be tried again. */
export const ListEnd = ({ list, none, words, onMore }) => {
  const { rows, next, loading, problem, known } = list
  const button = (name) => html`
    <button type="button" class="button quiet" disabled=${loading} onClick=${onMore}>${words.say(name)}</button>`
  if (problem) return html`<${Problems} of=${[problem]} words=${words} />${button('tryAgain')}`
  if (!known) return html`<p class="hint">${words.say('loadingList')}</p>`
  if (rows.length === 0) return html`<p class="hint">${words.say(none)}</p>`
  return next !== null && button('more')
}
ListEnd.props = ['list', 'none', 'words', 'onMore']
