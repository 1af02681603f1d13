// The page's questions: where the files go, whether to cancel everything, whether to finish now.
// The browser's own dialog keeps the focus inside and gives it back.

import { onBeforeUnmount, onMounted, ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'

export const Dialog = {
  props: ['title', 'onClose', 'onConfirm'],
  setup(props, { slots }) {
    const element = ref(null)
    onMounted(() => element.value.showModal())
    // Closed before it goes, or the focus would not find back.
    onBeforeUnmount(() => element.value.close())
    // The page decides; it takes the dialog away.
    const decide = (event, then) => {
      event.preventDefault()
      then()
    }
    const aside = (event) => event.target === element.value && props.onClose()
    return () => html`
      <dialog ref=${element} aria-labelledby="question" onCancel=${(event) => decide(event, props.onClose)}
        onClick=${aside}>
        <form method="dialog" onSubmit=${(event) => decide(event, props.onConfirm)}>
          <h2 id="question">${props.title}</h2>
          ${slots.default()}
        </form>
      </dialog>`
  },
}

export const answers = (yes, no, danger, onClose) => html`
  <div class="answers">
    <button type="submit" class=${danger ? 'button danger' : 'button'}>${yes}</button>
    <button type="button" class="button quiet" autofocus=${danger} onClick=${onClose}>${no}</button>
  </div>`

const choices = (names, chosen, words) => html`
  <fieldset class="categories">
    <legend class="heard">${words.say('categoryLegend')}</legend>
    ${names.map(
      (name) => html`<label key=${name} class="choice">
      <input type="radio" name="category" value=${name} checked=${chosen.value === name}
        autofocus=${chosen.value === name} onChange=${() => {
          chosen.value = name
        }} /><span>${words.category(name)}</span>
    </label>`,
    )}
  </fieldset>`

const AskCategory = {
  props: ['at', 'words'],
  setup({ at }) {
    const names = at.config.value.categories
    const chosen = ref(names.includes(at.page.category) ? at.page.category : names[0])
    const confirm = () => at.confirmCategory(chosen.value)
    return ({ words }) => html`
      <${Dialog} title=${words.say('categoryTitle')} onClose=${at.closeDialog} onConfirm=${confirm}>
        ${choices(names, chosen, words)}
        ${answers(words.say('confirm'), words.say('back'), false, at.closeDialog)}
      <//>`
  },
}

const Sure = ({ at, words, title, text, yes, onConfirm }) => html`
  <${Dialog} title=${words.say(title)} onClose=${at.closeDialog} onConfirm=${onConfirm}>
    <p>${words.say(text)}</p>
    ${answers(words.say(yes), words.say('keepSending'), true, at.closeDialog)}
  <//>`
Sure.props = ['at', 'words', 'title', 'text', 'yes', 'onConfirm']

/** Whichever question is open. */
export const Question = ({ at, words }) => {
  const { asking } = at.page
  if (asking === 'category') return html`<${AskCategory} at=${at} words=${words} />`
  if (asking === 'cancelAll')
    return html`<${Sure} at=${at} words=${words} title="cancelTitle" text="cancelSure" yes="cancelYes"
      onConfirm=${at.cancelAll} />`
  if (asking === 'finish')
    return html`<${Sure} at=${at} words=${words} title="finishTitle" text="finishSure" yes="finishYes"
      onConfirm=${at.finish} />`
  return null
}
Question.props = ['at', 'words']
