// The files that will not be sent, each with its reason and what to do. Only draws.

import { html } from './html.js'
import { Icon } from './icons.js'

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
