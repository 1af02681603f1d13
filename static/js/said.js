// Two places on the page that only screen readers notice: one that waits until they are silent, one that does not.
// They are there from the start, or what is written into them would go unheard.

import { ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { atOnce, politely } from './spoken.js'

const keysOfFailed = (rows) => new Set(rows.filter(({ phase }) => phase === 'failed').map(({ key }) => key))

export const Said = {
  props: ['at', 'words'],
  setup(props) {
    const { at } = props
    const urgent = ref('')
    let known = keysOfFailed(at.list.value)
    watch(at.list, (rows) => {
      const said = at.step.value === 'sending' && atOnce(rows, known, props.words, at.config.value?.contact)
      if (said) urgent.value = said
      known = keysOfFailed(rows)
    })
    const now = () => ({
      step: at.step.value,
      sum: at.sum.value,
      status: at.status.value,
      online: at.online.value,
      state: at.state.value,
      rows: at.list.value,
    })
    return () => html`
      <div class="heard">
        <p role="status">${politely(now(), props.words)}</p>
        <p role="alert">${urgent.value}</p>
      </div>`
  },
}
