// Two places that only screen readers notice at a kiosk: what happens is said politely, what fails at once. They are
// there from the start, or what is written into them would go unheard.

import { ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { atOnce } from './spoken.js'

const keysOfFailed = (rows) => new Set(rows.filter(({ phase }) => phase === 'failed').map(({ key }) => key))

const SAID = {
  connected: (at, words) => `${words.say('here')} ${words.say('hereAdvice')}`,
  receiving: ({ sum }, words) => words.say('receivedOf', sum.value),
  idle: ({ ending }, words) => words.say(ending.value ? 'ending' : 'endsSoon'),
  summary: (at, words) => words.say('thanks'),
}

export const KioskSaid = {
  props: ['at', 'words'],
  setup(props) {
    const { at } = props
    const urgent = ref('')
    let known = new Set()
    watch(at.list, (rows) => {
      urgent.value = atOnce(rows, known, props.words, at.config.value?.contact) || (rows.length > 0 ? urgent.value : '')
      known = keysOfFailed(rows)
    })
    return () => html`<div class="heard">
      <p role="status">${SAID[at.stage.value]?.(at, props.words) ?? ''}</p>
      <p role="alert">${urgent.value}</p>
    </div>`
  },
}
