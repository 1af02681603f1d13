// Which uploads other pages of this browser have in their hands at this moment: asked and answered among themselves,
// and asked anew when what this page remembers of a session begins to move, or breaks. Draws nothing.

import { computed, onScopeDispose, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Timers } from './timers.js'

// A page that is there answers within a few milliseconds; one that was frozen is not sending.
const WITHIN = 300

export class Elsewhere {
  /**
   * @param {object} env {channel(), setTimeout, clearTimeout}; channel() is a BroadcastChannel, or throws without one
   * @param {() => string | null} mine the session whose files this page has
   */
  constructor(env, mine) {
    Object.assign(this, { mine, asked: 0, questions: new Set(), channel: null })
    this.timers = new Timers(env)
    try {
      this.channel = env.channel()
      this.channel.onmessage = ({ data }) => this.#hear(data)
    } catch {
      // Then each page is alone.
    }
  }

  /** @returns {Promise<Set<string>>} their sessions */
  sending() {
    return this.#ask(() => false)
  }

  /** @returns {Promise<boolean>} whether one of them sends this session; a yes is known at once */
  async sends(sessionId) {
    return (await this.#ask((found) => found.has(sessionId))).has(sessionId)
  }

  stop() {
    this.timers.clearAll()
    this.channel?.close()
  }

  #ask(enough) {
    const found = new Set()
    if (this.channel === null) return Promise.resolve(found)
    const number = (this.asked += 1)
    return new Promise((resolve) => {
      const question = { found, heard: () => enough(found) && answer() }
      const answer = () => {
        this.timers.clear(number)
        this.questions.delete(question)
        resolve(found)
      }
      this.questions.add(question)
      this.timers.after(number, WITHIN, answer)
      this.channel.postMessage({ ask: 'sending' })
    })
  }

  #hear(data) {
    if (typeof data?.sends === 'string') {
      for (const { found, heard } of [...this.questions]) {
        found.add(data.sends)
        heard()
      }
    }
    const sends = data?.ask === 'sending' ? this.mine() : null
    if (sends !== null) this.channel.postMessage({ sends })
  }
}

/**
 * Joins them to the session of this page.
 * @returns {{watched: object, sending: () => Promise<Set<string>>}} watched: a ref, whether another page has the files
 *   that this one would ask for
 */
export function useElsewhere(env, { page, queue, state }) {
  const watched = shallowRef(false)
  const pages = new Elsewhere(env, () => (queue.held.value ? page.sessionId : null))
  // Of each file that would be wanted here: whether its bytes flow, by the station.
  const turns = computed(() => {
    const told = new Map(state.value.files.map(({ id, status }) => [id, status]))
    const wanted = queue.entries.value.filter(({ phase }) => phase === 'wanted')
    return wanted.map(({ key, fileId }) => `${key} ${told.get(fileId) === 'uploading'}`).join()
  })
  async function look() {
    const { sessionId } = page
    if (turns.value === '') return
    const there = await pages.sends(sessionId)
    if (sessionId === page.sessionId) watched.value = there
  }
  const seen = () => !env.hidden() && look()
  watch(turns, look)
  env.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    env.removeEventListener('visibilitychange', seen)
    pages.stop()
  })
  return { watched, sending: () => pages.sending() }
}
