// The station's limits and choices, fetched until they are here, and the PIN that may be needed before anything else.
// Knows two calls; what is done with the answers is the page's affair.

import { onScopeDispose, shallowRef } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { backoff } from './backoff.js'
import { Timers } from './timers.js'

const CAP = 15000

/** @param {{problem: object | null}} page what went wrong is shown there */
export function useConfig(env, page) {
  const config = shallowRef(null)
  const timers = new Timers(env)
  let tries = 0

  /** Asks now, and again by itself until there is an answer. */
  async function load() {
    timers.clearAll()
    try {
      config.value = await api.fetchConfig(env)
      tries = 0
      page.problem = null
    } catch ({ problem }) {
      page.problem = problem
      timers.after('load', backoff(tries, { cap: CAP, random: env.random, retryAfter: problem.retryAfter }), load)
      tries += 1
    }
  }

  /** @returns {Promise<boolean>} whether it was the right one */
  async function givePin(pin) {
    page.problem = null
    try {
      await api.givePin(env, pin)
      config.value = { ...config.value, pinRequired: false }
      return true
    } catch ({ problem }) {
      page.problem = problem
      return false
    }
  }

  /** The cookie was too old, or somebody changed the PIN. */
  const askPin = () => {
    config.value = { ...config.value, pinRequired: true }
  }

  onScopeDispose(() => timers.clearAll())
  return { config, load, givePin, askPin }
}
