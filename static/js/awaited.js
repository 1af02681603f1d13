// A module that is fetched when it is needed, and asked for again until it is here. Knows waits; where modules come
// from, and what is in them, are others' affair.

import { backoff } from './backoff.js'
import { Timers } from './timers.js'

const CAP = 15000
// What is still on its way then is as good as lost.
const WITHIN = 10000

export class Awaited {
  /**
   * @param {object} env {setTimeout, clearTimeout, random, module(name, tries)}: tries is how often it did not come
   * @param {string} name
   * @param {{came: (module: object) => void, failed?: () => void}} on came: once; failed: each time
   */
  constructor(env, name, on) {
    Object.assign(this, { env, name, on, tries: 0, asking: false, over: false })
    this.timers = new Timers(env)
  }

  /** Asks now, unless it is here or on its way. */
  ask() {
    if (this.over || this.asking) return
    this.asking = true
    const { tries } = this
    this.timers.after('wait', WITHIN, () => this.#failed(tries))
    this.env.module(this.name, tries).then(
      (module) => this.#came(module),
      () => this.#failed(tries),
    )
  }

  stop() {
    this.over = true
    this.timers.clearAll()
  }

  #came(module) {
    if (this.over) return
    this.stop()
    this.on.came(module)
  }

  #failed(tries) {
    if (this.over || tries !== this.tries) return
    this.tries += 1
    this.asking = false
    this.timers.after('wait', backoff(tries, { cap: CAP, random: this.env.random }), () => this.ask())
    this.on.failed?.()
  }
}
