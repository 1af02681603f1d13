// What somebody has chosen, or left unfinished the last time: what can go, what will not, and why. Only draws.

import { nextTick } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { IconButton } from './parts.js'
import { Countdown } from './row.js'
import { useSeconds } from './useSeconds.js'
import { pictureOf } from './checks.js'

const total = (files) => files.reduce((sum, { size }) => sum + size, 0)

const ChosenFile = ({ file, words, onRemove }) => html`
  <li class="file">
    <${Icon} name=${pictureOf(file.name)} /><span class="name">${file.name}</span>
    <span class="facts">${words.bytes(file.size)}</span>
    <span class="actions"><${IconButton} icon="x" label=${words.say('removeNamed', { name: file.name })}
      onPress=${(event) => onRemove(file, event)} /></span>
  </li>`
ChosenFile.props = ['file', 'words', 'onRemove']

// Two files may have one name, and a File has no number: each gets one when it is first drawn.
function numbering() {
  const numbers = new WeakMap()
  let given = 0
  return (file) => {
    if (!numbers.has(file)) numbers.set(file, (given += 1))
    return numbers.get(file)
  }
}

/** The pressed button goes with its file: the focus moves to the next one. */
function remove(file, event, at) {
  const item = event.currentTarget.closest('li')
  const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('button')
  at.unchoose(file)
  nextTick(() => (next ?? document.querySelector('h1'))?.focus())
}

const namesOf = (names, words) =>
  names.length > 2
    ? words.say('namesMore', { names: names.slice(0, 2).join(words.say('comma')) })
    : names.join(words.say('comma'))

/** What an earlier visit left, to be gone on with. */
export const Unfinished = ({ left, at, words }) => html`
  <section class="card">
    <h2>${words.say('unfinishedTitle')}</h2>
    <p>${words.say(left.stored === null ? 'unfinishedKnown' : 'unfinished', {
      files: words.files(left.count),
      stored: words.bytes(left.stored),
      total: words.bytes(left.total),
    })}</p>
    <p class="hint names">${namesOf(left.names, words)}</p>
    <div class="answers">
      <button type="button" class="button" onClick=${() => at.goOn(left)}>${words.say('goOn')}</button>
      <button type="button" class="button quiet" onClick=${() => at.forget(left)}>${words.say('forget')}</button>
    </div>
  </section>`
Unfinished.props = ['left', 'at', 'words']

const chosenList = (files, numberOf, at, words) => html`
  <ul class="files">${files.map(
    (file) => html`<${ChosenFile} key=${numberOf(file)} file=${file} words=${words}
      onRemove=${(which, event) => remove(which, event, at)} />`,
  )}</ul>`

const sendBar = (files, at, words, clock) => html`
  <div class="dock">
    <p role="status">${words.say('chosen', { files: words.files(files.length), size: words.bytes(total(files)) })}</p>
    ${at.page.retryAt !== null && html`<p><${Countdown} until=${at.page.retryAt} clock=${clock} words=${words} /></p>`}
    <button type="button" class="button big" disabled=${at.page.opening} onClick=${at.send}>
      ${words.say(at.page.opening ? 'opening' : 'send')}
    </button>
  </div>`

/** The files that can go, and the button that sends them. */
export const Chosen = {
  props: ['files', 'at', 'words'],
  setup({ at }) {
    const numberOf = numbering()
    const clock = useSeconds(() => at.page.retryAt !== null)
    return ({ files, words }) => [chosenList(files, numberOf, at, words), sendBar(files, at, words, clock)]
  },
}

const item = (file, problem, words, contact) => {
  const { message, advice, details, help } = words.error(problem, contact)
  return html`<li class="file"><span class="name">${file.name}</span>
    <p class="why"><strong>${message}</strong>${advice}${details && html`<small>${details}</small>`}
      ${help && html`<small>${help}</small>`}</p></li>`
}

/** `rest`: whether there are others, which can go. */
export const Refused = ({ refused, words, contact, rest, onDismiss }) =>
  refused.length > 0 &&
  html`
  <section class="card refused" role="alert">
    <h2><${Icon} name="triangle-alert" />${words.say('refusedTitle')}</h2>
    ${rest && html`<p class="hint">${words.say('refusedRest')}</p>`}
    <ul class="files">${refused.map(({ file, problem }) => item(file, problem, words, contact))}</ul>
    <button type="button" class="button quiet" onClick=${onDismiss}>${words.say('dismiss')}</button>
  </section>`
Refused.props = ['refused', 'words', 'contact', 'rest', 'onDismiss']
