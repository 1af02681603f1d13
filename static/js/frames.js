// Many values, one call a frame with the last of them. Knows nothing of what the values are.

import { Timers } from './timers.js'

const HIDDEN = 250

/**
 * The frames of a window, of which all callbacks are one: what they change is drawn once. The browser by itself lets
 * what follows each of them (Vue's drawing) happen before the next.
 * @param {object} page {requestAnimationFrame, cancelAnimationFrame}
 */
export function together(page) {
  let waiting = new Map()
  let last = 0
  let frame = null
  const all = (time) => {
    const now = waiting
    waiting = new Map()
    frame = null
    for (const call of now.values()) call(time)
  }
  return {
    requestAnimationFrame(call) {
      frame ??= page.requestAnimationFrame(all)
      waiting.set((last += 1), call)
      return last
    },
    cancelAnimationFrame(id) {
      waiting.delete(id)
      if (waiting.size > 0 || frame === null) return
      page.cancelAnimationFrame(frame)
      frame = null
    },
  }
}

/**
 * A page that is not seen gets no frames: there a timer takes their place.
 * @param {object} env {requestAnimationFrame, cancelAnimationFrame, setTimeout, clearTimeout, hidden()}
 * @param {(value: any) => void} call
 * @returns {Function} take(value); take.flush() calls now, if something waits; take.drop() forgets what waits
 */
export function latest(env, call) {
  const timers = new Timers(env)
  let frame = null
  let waiting = null
  const rest = () => {
    if (frame !== null) env.cancelAnimationFrame(frame)
    frame = null
    timers.clearAll()
  }
  const flush = () => {
    rest()
    if (waiting === null) return
    const [value] = waiting
    waiting = null
    call(value)
  }
  const take = (value) => {
    const first = waiting === null
    waiting = [value]
    if (!first) return
    // Also beside a frame: the page may be hidden before it comes.
    timers.after('hidden', HIDDEN, flush)
    if (!env.hidden()) frame = env.requestAnimationFrame(flush)
  }
  take.flush = flush
  take.drop = () => {
    waiting = null
    rest()
  }
  return take
}
