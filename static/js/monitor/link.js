// The operator's line to the station: the monitor's topic over a WebSocket, the overview asked for again and again
// while there is none. Tells messages and how it stands; knows nothing of what they mean.

import { backoff } from '../backoff.js'
import { messageOf } from '../events.js'
import { Timers } from '../timers.js'
import { fetchOverview } from './api.js'

const OPEN_WITHIN = 8000
// An overview comes every 2 s; past this silence the line is dead, whatever the network says.
const QUIET = 10000
const ASK_EVERY = 5000
const STEADY = 10000

// What follows is told by the overview's own answer: a socket may have been opened before the cookie was there.
const isRefusal = ({ event, data }) => event === 'error' && data.event === 'join-monitor'

export class Link {
  /**
   * @param {object} env {WebSocket, fetch, setTimeout, clearTimeout, location, random, now}
   * @param {{onMessage: (message: object) => void, onStatus: (status: string) => void}} told
   *   status: connecting | live | polling | offline | out (who asks is not the operator any more)
   */
  constructor(env, { onMessage, onStatus }) {
    Object.assign(this, { env, onMessage, onStatus, socket: null, joined: false, status: null, failures: 0 })
    this.timers = new Timers(env)
    this.running = false
  }

  start() {
    this.running = true
    this.#tell('connecting')
    this.#dial()
  }

  stop() {
    this.running = false
    this.timers.clearAll()
    this.#hangUp()
  }

  /** The network came back, or the page is seen again: look now instead of later. */
  nudge() {
    if (!this.running || this.joined) return
    this.failures = 0
    if (this.timers.has('retry')) this.timers.after('retry', 0, () => this.#dial())
    if (this.timers.has('ask')) this.timers.after('ask', 0, () => this.#ask())
  }

  /** @returns {boolean} whether it could be sent: nothing waits for a better time */
  send(event, data) {
    if (!this.joined) return false
    this.socket.send(JSON.stringify({ event, data }))
    return true
  }

  #tell(status) {
    if (status === this.status) return
    this.status = status
    this.onStatus(status)
  }

  #hangUp() {
    const { socket } = this
    Object.assign(this, { socket: null, joined: false })
    socket?.close()
  }

  #dial() {
    const { protocol, host } = this.env.location
    let socket
    try {
      socket = new this.env.WebSocket(`${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws`)
    } catch {
      // It may be missing, or forbidden by a policy.
      this.#lost()
      return
    }
    this.socket = socket
    const mine = (call) => (event) => socket === this.socket && call(event)
    socket.onopen = mine(() => socket.send(JSON.stringify({ event: 'join-monitor', data: {} })))
    socket.onmessage = mine(({ data }) => this.#take(messageOf(data)))
    socket.onclose = mine(() => this.#lost())
    socket.onerror = mine(() => this.#lost())
    this.timers.after('quiet', OPEN_WITHIN, () => this.#lost())
  }

  #take(message) {
    if (message === null) return
    if (isRefusal(message)) {
      this.#lost()
      return
    }
    if (message.event === 'monitor-joined') {
      this.joined = true
      this.timers.clear('ask')
      this.timers.after('steady', STEADY, () => {
        this.failures = 0
      })
      this.#tell('live')
    }
    if (this.joined) this.timers.after('quiet', QUIET, () => this.#lost())
    this.onMessage(message)
  }

  #lost() {
    if (!this.running) return
    for (const name of ['quiet', 'steady']) this.timers.clear(name)
    this.#hangUp()
    if (this.status === 'live') this.#tell('connecting')
    const delay = backoff(this.failures, { base: 1000, cap: 15000, random: this.env.random })
    this.failures += 1
    this.timers.after('retry', delay, () => this.#dial())
    if (!this.timers.has('ask') && !this.asking) this.#ask()
  }

  async #ask() {
    this.asking = true
    let answer = null
    let code = null
    try {
      answer = await fetchOverview(this.env)
    } catch (fault) {
      code = fault.problem.code
    }
    this.asking = false
    if (!this.running || this.joined) return
    if (code === 'UNAUTHORIZED') {
      this.stop()
      this.#tell('out')
      return
    }
    this.#tell(answer === null ? 'offline' : 'polling')
    this.timers.after('ask', ASK_EVERY, () => this.#ask())
    if (answer !== null) this.onMessage({ event: 'monitor-update', data: answer })
  }
}
