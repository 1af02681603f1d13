// The first step: choose files and where they go. Only draws; useUploads does.

import { html } from './html.js'
import { Picker, Problem } from './parts.js'

const total = (files) => files.reduce((sum, { size }) => sum + size, 0)

const chosenList = (files, words, onRemove) => html`
  <ul class="files">
    ${files.map(
      (file, index) => html`<li key=${`${index}-${file.name}`} class="file">
      <span class="name">${file.name}</span><span class="facts">${words.bytes(file.size)}</span>
      <button type="button" class="plain" aria-label=${words.say('removeNamed', { name: file.name })}
        onClick=${() => onRemove(file)}>${words.say('remove')}</button>
    </li>`,
    )}
  </ul>`

/** Files that will not be sent, each with its reason. */
export const Refused = ({ refused, words, contact, onDismiss }) =>
  refused.length > 0 &&
  html`
  <section class="refused" role="alert">
    <h2>${words.say('refusedTitle')}</h2>
    <ul class="files">
      ${refused.map(({ file, problem }, index) => {
        const { message, advice, details } = words.error(problem, contact)
        return html`<li key=${index} class="file"><span class="name">${file.name}</span>
          <p class="why">${message}${advice}${details && html`<small>${details}</small>`}</p></li>`
      })}
    </ul>
    <button type="button" class="button quiet" onClick=${onDismiss}>${words.say('dismiss')}</button>
  </section>`
Refused.props = ['refused', 'words', 'contact', 'onDismiss']

const categories = (config, page, words) =>
  config.categories.length > 1 &&
  html`
  <fieldset class="categories">
    <legend>${words.say('category')}</legend>
    ${config.categories.map(
      (name) => html`<label key=${name} class="choice">
      <input type="radio" name="category" value=${name} checked=${page.category === name}
        onChange=${() => {
          page.category = name
        }} /><span>${words.category(name)}</span>
    </label>`,
    )}
  </fieldset>`

const limits = (config, words) =>
  config.maxFileSize &&
  html`
  <p class="hint">${words.say('upTo', { size: words.bytes(config.maxFileSize) })}</p>`

export const Choose = ({ at, words }) => {
  const { chosen, refused, page } = at
  const config = at.config.value
  const files = chosen.value
  const counted = words.say(files.length === 1 ? 'chosenOne' : 'chosen', {
    count: files.length,
    size: words.bytes(total(files)),
  })
  return html`<section>
    <h1 tabindex="-1">${words.say('title')}</h1>
    <p class="intro">${words.say('intro')}</p>
    <${Picker} label=${words.say(files.length > 0 ? 'chooseMore' : 'choose')} quiet=${files.length > 0} onFiles=${at.choose} />
    ${limits(config, words)}
    <${Refused} refused=${refused.value} words=${words} contact=${config.contact} onDismiss=${at.dismiss} />
    ${
      files.length > 0 &&
      html`
      <p class="hint" role="status">${counted}</p>
      ${chosenList(files, words, at.unchoose)}
      ${categories(config, page, words)}
      <button type="button" class="button big" disabled=${page.opening} onClick=${at.send}>
        ${words.say(page.opening ? 'opening' : 'send')}
      </button>`
    }
    ${page.problem && html`<${Problem} problem=${page.problem} words=${words} contact=${config.contact} />`}
  </section>`
}
Choose.props = ['at', 'words']
