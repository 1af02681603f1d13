// What the page says beside its sheet: the tab's title, and sentences for those who listen. Decides nothing else.

import { ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { ending } from './rows.js'

/** The title of the tab: how far it is, for those who look at another one meanwhile. */
export function title({ step, sum, state }, words) {
  if (step === 'sending') return `${words.percent(sum.progress)} · ${words.say('title')}`
  if (step === 'done') return words.say(ending(state))
  return words.say(step === 'pin' ? 'pinTitle' : 'title')
}

/** How much arrived. */
export function arrived({ summary }, rows, words) {
  const stored = rows.filter(({ phase }) => phase === 'completed')
  if (stored.length === 0) return words.say('noneStored')
  return words.say('doneCount', {
    done: summary.completedFiles,
    files: words.files(summary.totalFiles),
    size: words.bytes(stored.reduce((sum, { size }) => sum + (size ?? 0), 0)),
    time: words.seconds(summary.totalTime),
  })
}

/** Said when it can wait: in steps of ten per cent, or a screen reader would never stop talking. */
export function politely({ step, sum, status, online, state, rows }, words) {
  if (step === 'done') return arrived(state, rows, words)
  if (step !== 'sending' || sum.count === 0) return ''
  if (!online || status === 'offline') return words.say('saidOffline')
  const percent = words.percent(Math.floor(sum.progress / 10) * 10)
  return words.say('overallSaid', { done: sum.done, count: words.files(sum.count), percent })
}

/**
 * Said at once: what has failed since the last time.
 * @param {Set<string>} known keys of rows that had failed before
 */
export function atOnce(rows, known, words, contact) {
  const failed = rows.filter(({ phase, key }) => phase === 'failed' && !known.has(key))
  if (failed.length === 0) return ''
  if (failed.length > 1) return words.say('saidFailedMany', { files: words.files(failed.length) })
  const [{ name, problem }] = failed
  const { message, advice } = words.error(problem, contact)
  return words.say('saidFailed', { name, message: message + advice })
}

const keysOfFailed = (rows) => new Set(rows.filter(({ phase }) => phase === 'failed').map(({ key }) => key))

// Two places that only screen readers notice: one that waits until they are silent, one that does not. They are there
// before anything happens, or what is written into them would go unheard.
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
