// The ladder: WebSocket, then server-sent events, then polling, and back up again, as one stream of messages in which
// nothing is lost and nothing comes twice. Knows when to change carriers; knows nothing of Vue, the page or the wire.

import { backoff } from './backoff.js'
import { eventStream, webSocket } from './carriers.js'
import { initialState, reduce, standing } from './events.js'
import { polling } from './polling.js'
import { Timers } from './timers.js'

const CARRIERS = { websocket: webSocket, sse: eventStream, polling }
export const RUNGS = Object.freeze(['websocket', 'sse', 'polling'])

// A busy session tells something at least every 2 s; past this silence it is worth asking.
const QUIET = 20000
// A carrier that held this long has earned a quick new start when it breaks.
const STEADY = 10000
const MENDS = 3
const STOPPED = ['idle', 'ended', 'gone']

export class Feed {
  /**
   * @param {object} env {WebSocket, EventSource, fetch, setTimeout, clearTimeout, location, random, now}
   * @param {{onMessage: Function, onStatus: Function, rungs?: readonly string[]}} options
   *   onMessage(message, state) for every message that is news; onStatus(status, transport) with status
   *   idle | connecting | catching-up | live | polling | offline | ended | gone
   */
  constructor(env, { onMessage, onStatus, rungs = RUNGS }) {
    Object.assign(this, { env, onMessage, onStatus, rungs })
    this.sessionId = null
    this.state = initialState()
    this.status = 'idle'
    this.transport = null
    this.current = null
    this.candidate = null
    this.timers = new Timers(env)
    this.failures = { rounds: 0, breaks: 0, climbs: 0, gaps: 0 }
  }

  start(sessionId = this.sessionId) {
    this.stop('connecting')
    this.#aim(sessionId)
    this.#open(0)
  }

  stop(status = 'idle') {
    this.timers.clearAll()
    const links = [this.current, this.candidate]
    this.current = null
    this.candidate = null
    for (const link of links) link?.carrier.close()
    this.#tell(status)
  }

  /** Watches another session from now on; an open socket is kept. */
  join(sessionId) {
    if (sessionId === this.sessionId && this.current !== null) return
    const left = this.sessionId
    if (!this.current?.open || !this.current.carrier.send) {
      if (STOPPED.includes(this.status)) this.#aim(sessionId)
      else this.start(sessionId)
      return
    }
    this.#aim(sessionId)
    if (left !== null) this.send('leave-session', { sessionId: left })
    this.send('join-session', { sessionId })
  }

  /** @returns {boolean} false when the present carrier cannot take messages */
  send(event, data) {
    if (!this.current?.open || !this.current.carrier.send) return false
    this.current.carrier.send(event, data)
    return true
  }

  /** Something changed outside (the network came back, the page is seen again): look now instead of later. */
  nudge() {
    this.failures.climbs = 0
    this.failures.rounds = 0
    if (this.timers.has('retry')) this.#retry(0, this.retryRung)
    else if (this.current?.joined) {
      this.current.carrier.check()
      this.#climb(0)
    }
  }

  #aim(sessionId) {
    if (sessionId !== this.sessionId) this.state = initialState()
    this.sessionId = sessionId
  }

  #tell(status) {
    const transport = this.current === null ? null : this.rungs[this.current.rung]
    if (status === this.status && transport === this.transport) return
    this.status = status
    this.transport = transport
    this.onStatus(status, transport)
  }

  #wait(what, options) {
    const delay = backoff(this.failures[what], { random: this.env.random, ...options })
    this.failures[what] += 1
    return delay
  }

  // Throws what the constructor of the browser's object throws: it may be missing, or forbidden by a policy.
  #link(rung) {
    const link = { rung, open: false, joined: false, carrier: null }
    const at = () => ({ sessionId: this.sessionId, seq: this.state.seq, epoch: this.state.epoch })
    const mine = () => link === this.current || link === this.candidate
    link.carrier = CARRIERS[this.rungs[rung]](this.env, at, {
      open: () => mine() && this.#opened(link),
      message: (message) => mine() && this.#take(link, message),
      lost: (why) => mine() && this.#lost(link, why),
    })
    return link
  }

  #open(rung, why = {}) {
    // Only a socket can be open without a session.
    if (rung >= this.rungs.length || (this.sessionId === null && this.rungs[rung] !== 'websocket')) {
      this.#tell('offline')
      this.#retry(this.#wait('rounds', { base: 1000, cap: 15000, retryAfter: why.retryAfter }), 0)
      return
    }
    try {
      this.current = this.#link(rung)
    } catch {
      this.#open(rung + 1, why)
    }
  }

  #opened(link) {
    link.open = true
    if (link === this.current && this.sessionId === null) this.#tell('live')
  }

  #lost(link, why) {
    if (link === this.candidate) {
      this.candidate = null
      this.#climb(link.rung + 1)
      return
    }
    this.current = null
    for (const name of ['quiet', 'steady']) this.timers.clear(name)
    if (why.gone) this.stop('gone')
    else if (this.candidate !== null) {
      this.current = this.candidate
      this.candidate = null
      this.#tell('catching-up')
    } else if (link.joined || (link.open && this.sessionId === null)) {
      this.#tell('catching-up')
      this.#retry(this.#wait('breaks', { base: 500, cap: 10000, retryAfter: why.retryAfter }), link.rung)
    } else this.#open(link.rung + 1, why)
  }

  #retry(delay, rung) {
    this.retryRung = rung
    this.timers.after('retry', delay, () => this.#open(rung))
  }

  #climb(rung) {
    if (this.candidate !== null || !this.current?.joined || this.current.rung === 0) return
    if (rung >= this.current.rung) {
      this.timers.after('climb', 2000 + this.#wait('climbs', { base: 3000, cap: 60000 }), () => this.#climb(0))
      return
    }
    this.timers.clear('climb')
    try {
      this.candidate = this.#link(rung)
    } catch {
      this.#climb(rung + 1)
    }
  }

  #joined(link) {
    link.joined = true
    if (link === this.candidate) {
      const left = this.current
      this.current = link
      this.candidate = null
      left.carrier.close()
      this.failures.climbs = 0
    }
    this.failures.rounds = 0
    this.timers.after('steady', STEADY, () => Object.assign(this.failures, { breaks: 0, gaps: 0 }))
    // The lower carriers serve; the better ones are looked for in the background.
    if (!this.timers.has('climb')) this.#climb(this.current.rung)
  }

  #take(link, message) {
    if (message.data.sessionId && message.data.sessionId !== this.sessionId) return
    if (message.event === 'error') {
      this.#refused(message)
      return
    }
    const where = standing(this.state.seq, message)
    if (where === 'repeat') return
    if (where === 'gap') {
      this.#mend(link)
      return
    }
    if (where === 'join') this.#joined(link)
    this.state = reduce(this.state, message)
    this.timers.after('quiet', QUIET, () => this.#tooQuiet())
    const behind = this.state.seq < this.state.contained
    const there = this.rungs[this.current.rung] === 'polling' ? 'polling' : 'live'
    if (this.current.joined) this.#tell(behind ? 'catching-up' : there)
    this.onMessage(message, this.state)
    if (this.state.ended && this.current !== null) this.stop('ended')
  }

  #refused(message) {
    this.onMessage(message, this.state)
    if (message.data.event === 'join-session' && message.data.error?.code === 'SESSION_NOT_FOUND') this.stop('gone')
  }

  // A number is missing: read again from where we are; if that does not help, from the snapshot.
  #mend(link) {
    this.failures.gaps += 1
    if (this.failures.gaps > MENDS) this.state = { ...this.state, epoch: null }
    link.carrier.close()
    this.#lost(link, {})
  }

  #tooQuiet() {
    this.current?.carrier.check()
    this.timers.after('quiet', QUIET, () => this.#tooQuiet())
  }
}
