// Notices requests of which nothing is heard any more: no browser ends a request that the network swallowed. Knows
// keys and a clock; what they stand for, and what is done about it, is the owner's affair.

import { Timers } from './timers.js'

export const SILENCE = 20000
// Past this nobody knows how fast it is.
export const STILL = 3000
// All is sent, and the station stores, syncs and checks it.
export const ANSWER = 90000
// The network changed under a request. Most browsers then end it themselves; some leave it hanging.
export const DOUBT = 5000
const TICK = 1000

export class Watchdog {
  /**
   * @param {object} env {setTimeout, clearTimeout, now}
   * @param {(key: string) => void} onStall called once; the key is watched no more
   * @param {(key: string) => void} onStill nothing was heard of it for a while; once for each silence
   */
  constructor(env, onStall, onStill) {
    Object.assign(this, { env, onStall, onStill })
    this.timers = new Timers(env)
    this.watched = new Map()
  }

  watch(key) {
    this.watched.set(key, { silent: 0, patience: SILENCE, all: false })
    if (!this.timers.has('tick')) this.#tick()
  }

  leave(key) {
    this.watched.delete(key)
    if (this.watched.size === 0) this.timers.clearAll()
  }

  /** Something moved. `all`: and there is nothing left to send. */
  moved(key, all = false) {
    if (this.watched.has(key)) this.watched.set(key, { silent: 0, patience: all ? ANSWER : SILENCE, all })
  }

  /** The network went, or came back: what is on its way has to show that it lives. */
  doubt() {
    for (const [key, { all }] of this.watched) {
      this.watched.set(key, { silent: 0, patience: all ? SILENCE : DOUBT, all })
    }
  }

  #tick() {
    const before = this.env.now()
    this.timers.after('tick', TICK, () => {
      // A page that was frozen, or a phone that slept, has not been listening: that time is nobody's silence. A clock
      // that was set back is not, either.
      const heard = Math.min(Math.max(this.env.now() - before, 0), 2 * TICK)
      if (this.watched.size > 0) this.#tick()
      for (const [key, state] of [...this.watched]) {
        if (state.silent < STILL && state.silent + heard >= STILL) this.onStill(key)
        state.silent += heard
        if (state.silent < state.patience) continue
        this.leave(key)
        this.onStall(key)
      }
    })
  }
}
