// The requests that run now: how many there may be, what they tell, and whether they still live. Knows one request's
// life; which file is next, and what becomes of it afterwards, is the queue's affair.

import { send } from './send.js'
import { Watchdog } from './watchdog.js'

export const MOST = 3
const CALM = 10000

/** @param {number} now milliseconds on any clock */
export const startPace = (now) => ({ limit: MOST, since: now })

/** Something was lost: half as many, but one goes on. */
export const lost = ({ limit }, now) => ({ limit: Math.max(1, Math.floor(limit / 2)), since: now })

/** A file got through. */
export const finished = ({ limit }, now) => ({ limit: Math.min(MOST, limit + 1), since: now })

/** Bytes flow. */
export const flowing = (pace, now) => (pace.limit < MOST && now - pace.since >= CALM ? finished(pace, now) : pace)

export class Line {
  /**
   * @param {object} env see send.js, and {setTimeout, clearTimeout, now}
   * @param {import('./entries.js').Entries} entries
   * @param {(key: string, outcome: object) => void} onDone the outcome as in send.js; never for one that was stopped
   */
  constructor(env, entries, onDone) {
    Object.assign(this, { env, entries, onDone })
    this.requests = new Map()
    this.watchdog = new Watchdog(
      env,
      (key) => this.#stalled(key),
      (key) => entries.change(key, { still: true }),
    )
    this.reset()
  }

  reset() {
    this.pace = startPace(this.env.now())
    /** Something was lost, and since then nothing has shown that the station can be reached. */
    this.held = false
  }

  get hasRoom() {
    return this.requests.size < (this.held ? 1 : this.pace.limit)
  }

  has(key) {
    return this.requests.has(key)
  }

  get(key) {
    return this.requests.get(key)
  }

  send({ key }) {
    // What a probe has to show is ten good seconds of its own.
    if (this.held && this.requests.size === 0) this.pace = { ...this.pace, since: this.env.now() }
    this.watchdog.watch(key)
    const request = send(this.env, this.entries.get(key), {
      url: (url) => this.entries.change(key, { url }),
      fileId: (fileId) => this.entries.change(key, { fileId }),
      sent: this.#sent(key),
      done: (outcome) => this.requests.get(key) === request && this.#over(key, outcome),
    })
    this.requests.set(key, request)
  }

  /** Ends it without a word to the station. */
  stop(key) {
    const request = this.requests.get(key)
    this.#release(key)
    request?.abort()
  }

  stopAll() {
    for (const key of [...this.requests.keys()]) this.stop(key)
  }

  /** The station stored some of it. */
  stored({ key, sent, size, phase }) {
    this.#moved(key, sent >= size)
    if (phase === 'sending') this.heard()
  }

  doubt() {
    this.watchdog.doubt()
  }

  lost() {
    this.pace = lost(this.pace, this.env.now())
    this.held = true
  }

  /** The station can be reached. */
  heard() {
    this.held = false
  }

  finished() {
    this.pace = finished(this.pace, this.env.now())
    this.heard()
  }

  #release(key) {
    this.requests.delete(key)
    this.watchdog.leave(key)
  }

  #sent(key) {
    // The first it tells is where it begins.
    let begun = null
    return (bytes) => {
      const { size, sent } = this.entries.get(key)
      if (begun !== null && bytes > begun) this.#moved(key, bytes >= size)
      else if (bytes !== sent) this.watchdog.moved(key, bytes >= size)
      if (sent !== null && bytes > sent) this.#flowing()
      begun = bytes
      this.entries.change(key, { sent: bytes })
    }
  }

  #moved(key, all) {
    this.watchdog.moved(key, all)
    const { phase, problem } = this.entries.get(key)
    this.entries.change(key, { still: false, problem: phase === 'sending' ? null : problem })
  }

  #flowing() {
    const { limit } = this.pace
    this.pace = flowing(this.pace, this.env.now())
    if (this.pace.limit > limit) this.heard()
  }

  #stalled(key) {
    this.requests.get(key)?.abort()
    this.#over(key, { problem: { code: 'STALLED' } })
  }

  #over(key, outcome) {
    this.#release(key)
    this.onDone(key, outcome)
  }
}
