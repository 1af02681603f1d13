// The step before all others where the station asks for a PIN. Only draws; what is right, the station says.

import { onMounted, ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Problem } from './parts.js'

const field = ({ words, busy, wrong, shown, onInput }) => html`
  <label class="field">${words.say('pinLabel')}
    <input name="pin" type=${shown ? 'text' : 'password'} inputmode="numeric" autocomplete="one-time-code" required
      spellcheck="false" autocapitalize="off" readonly=${busy} onInput=${onInput}
      aria-invalid=${wrong ? 'true' : null} aria-describedby=${wrong ? 'pin-wrong' : null} />
  </label>`

const eye = (words, shown) => html`
  <button type="button" class="button quiet" aria-pressed=${String(shown.value)}
    onClick=${() => (shown.value = !shown.value)}>${words.say('pinShow')}</button>`

const wrongness = (problem, words, contact) =>
  problem &&
  html`<div id="pin-wrong"><${Problem} problem=${problem} words=${words} contact=${contact} />
    ${
      problem.retryAfter &&
      html`<p class="hint">${words.say('pinWait', { time: words.seconds(problem.retryAfter / 1000) })}</p>`
    }
  </div>`

/** `at.later`, where there is one, empties the field that somebody left behind; a kiosk's is seen by all. */
export const Pin = {
  props: ['at', 'words'],
  setup({ at }) {
    const busy = ref(false)
    const shown = ref(false)
    const empty = (input) => {
      input.value = ''
      shown.value = false
    }
    onMounted(() => document.querySelector('.secret input')?.focus())
    const onInput = ({ target }) => at.later?.(() => empty(target))
    async function give(event) {
      event.preventDefault()
      const input = event.target.elements.namedItem('pin')
      if (busy.value) return
      busy.value = true
      const right = await at.givePin(input.value.trim())
      busy.value = false
      if (right) return
      empty(input)
      input.focus()
    }
    return ({ words }) => {
      const contact = at.config.value?.contact
      return html`<section class="narrow">
        <h1 tabindex="-1">${words.say('pinTitle')}</h1>
        <p class="intro">${words.say('pinIntro', { contact: contact || words.say('someone') })}</p>
        <form onSubmit=${give}>
          <div class="secret">
            ${field({ words, busy: busy.value, wrong: at.page.problem !== null, shown: shown.value, onInput })}
            ${eye(words, shown)}
          </div>
          ${wrongness(at.page.problem, words, contact)}
          <button class="button big" disabled=${busy.value}>${words.say('pinGo')}</button>
        </form>
      </section>`
    }
  },
}
