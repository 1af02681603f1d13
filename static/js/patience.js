// What becomes of a file after a failed try: it waits and is tried again, or it has failed. Knows kinds of errors and
// how long to wait; nothing of requests.

import { backoff } from './backoff.js'
import { kindOf, retrying } from './kinds.js'
import { Timers } from './timers.js'

const TRIES = 5
const CAP = 30000
// A browser may be wrong about the network; so once in a while it is tried in spite of that.
const DOUBT = 30000

export class Patience {
  /**
   * @param {object} env {setTimeout, clearTimeout, random, now}
   * @param {import('./entries.js').Entries} entries
   * @param {() => void} onReady one of them waits no more: it is queued, or has failed
   */
  constructor(env, entries, onReady) {
    Object.assign(this, { env, entries, onReady })
    this.timers = new Timers(env)
    this.online = true
  }

  /** It waits for nothing any more. */
  rest(key) {
    this.timers.clear(key)
  }

  /** @param {number | null} retryAfter milliseconds, what the station asked for */
  wait(key, problem, retryAfter) {
    const { tries, phase } = this.entries.get(key)
    const how = retrying(problem.code)
    const again = how === 'itself' || (how === 'tries' && tries + 1 < TRIES)
    if (!again) return this.entries.change(key, { phase: 'failed', problem, retryAt: null })
    const anew = phase === 'waiting' ? {} : { tries: tries + 1 }
    if (!this.online && kindOf(problem.code) === 'network') {
      this.entries.change(key, { phase: 'waiting', problem: { code: 'OFFLINE' }, retryAt: null, ...anew })
      this.#after(key, DOUBT)
    } else {
      const delay = backoff(tries, { base: 1000, cap: CAP, random: this.env.random, retryAfter })
      this.entries.change(key, { phase: 'waiting', problem, retryAt: this.env.now() + delay, ...anew })
      this.#after(key, delay)
    }
    // To the request, a file that was changed or removed meanwhile looks like a broken connection.
    if (problem.code === 'NETWORK_ERROR') this.#look(key)
    return undefined
  }

  #after(key, delay) {
    this.timers.after(key, delay, () => {
      this.entries.change(key, { phase: 'queued', retryAt: null })
      this.onReady()
    })
  }

  async #look(key) {
    const { file } = this.entries.get(key)
    if ((await readable(file)) || this.entries.get(key)?.phase !== 'waiting') return
    this.rest(key)
    this.entries.change(key, { phase: 'failed', problem: { code: 'FILE_UNREADABLE' }, retryAt: null })
    this.onReady()
  }
}

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer()
    return true
  } catch {
    return false
  }
}
