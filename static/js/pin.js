// The step before all others where the station asks for a PIN. Only draws; what is right, the station says.

import { ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Problem } from './parts.js'

const field = (words, busy, wrong) => html`
  <label class="field">${words.say('pinLabel')}
    <input name="pin" inputmode="numeric" autocomplete="one-time-code" required spellcheck="false" autocapitalize="off"
      readonly=${busy} aria-invalid=${wrong ? 'true' : null} aria-describedby=${wrong ? 'pin-wrong' : null} />
  </label>`

const wrongness = (problem, words, contact) =>
  problem &&
  html`<div id="pin-wrong"><${Problem} problem=${problem} words=${words} contact=${contact} />
    ${
      problem.retryAfter &&
      html`<p class="hint">${words.say('pinWait', { time: words.seconds(problem.retryAfter / 1000) })}</p>`
    }
  </div>`

export const Pin = {
  props: ['at', 'words'],
  setup({ at }) {
    const busy = ref(false)
    async function give(event) {
      event.preventDefault()
      const input = event.target.elements.namedItem('pin')
      if (busy.value) return
      busy.value = true
      const right = await at.givePin(input.value.trim())
      busy.value = false
      if (right) return
      input.focus()
      input.select()
    }
    return ({ words }) => {
      const contact = at.config.value?.contact
      return html`<section class="narrow">
        <h1 tabindex="-1">${words.say('pinTitle')}</h1>
        <p class="intro">${words.say('pinIntro', { contact: contact || words.say('someone') })}</p>
        <form onSubmit=${give}>
          ${field(words, busy.value, at.page.problem !== null)}
          ${wrongness(at.page.problem, words, contact)}
          <button class="button big" disabled=${busy.value}>${words.say('pinGo')}</button>
        </form>
      </section>`
    }
  },
}
