// Which uploads other pages of this browser are sending at this moment: asked and answered among themselves. Knows
// nothing of what is done with that.

import { Timers } from './timers.js'

// A page that is there answers within a few milliseconds; one that was frozen is not sending.
const WITHIN = 300

export class Elsewhere {
  /**
   * @param {object} env {channel(), setTimeout, clearTimeout}; channel() is a BroadcastChannel, or throws without one
   * @param {() => string | null} mine the session whose files this page sends now
   */
  constructor(env, mine) {
    Object.assign(this, { mine, found: new Set(), channel: null })
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
    if (this.channel === null) return Promise.resolve(this.found)
    this.found = new Set()
    this.channel.postMessage({ ask: 'sending' })
    return new Promise((resolve) => this.timers.after('answers', WITHIN, () => resolve(this.found)))
  }

  stop() {
    this.timers.clearAll()
    this.channel?.close()
  }

  #hear(data) {
    if (typeof data?.sends === 'string') this.found.add(data.sends)
    const sends = data?.ask === 'sending' ? this.mine() : null
    if (sends !== null) this.channel.postMessage({ sends })
  }
}
