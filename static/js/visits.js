// Visit after visit at a kiosk: carries out what the visit wishes, and tells it what came of that. Knows the API and
// the watching of a session; visit.js decides, and nothing here draws.

import { effectScope, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { complete, fetchConfig, handOver, openVisit } from './kioskApi.js'
import { rowMaker } from './rows.js'
import { Timers } from './timers.js'
import { useWebSocket } from './useWebSocket.js'
import { newVisit, step, wish } from './visit.js'

const TICK = 1000
const NETWORK = ['online', 'offline']
const FEEDS = { live: 'live', polling: 'live', offline: 'offline' }

/** One session's feed, in a scope of its own: whatever it holds goes with it. */
function watchSession(sessionId, env, onNews) {
  const scope = effectScope(true)
  const feed = scope.run(() => {
    const use = useWebSocket(sessionId, env)
    watch([use.state, use.status], () => onNews(use), { flush: 'sync' })
    return { ...use, makeRows: rowMaker() }
  })
  return { sessionId, feed, stop: () => scope.stop() }
}

export class Visits {
  /**
   * @param {object} env as of useWebSocket, and `moment()`: milliseconds that only go forward
   * @param {string} category where the files go
   * @param {(visit: object, feed: object | null) => void} onChange
   * @param {(config: object) => void} onConfig the station's limits and choices, new with every visit
   */
  constructor(env, category, onChange, onConfig) {
    Object.assign(this, { env, category, onChange, onConfig })
    this.timers = new Timers(env)
    this.visit = newVisit()
    this.watching = null
    this.network = () => this.tell('network')
  }

  start() {
    for (const name of NETWORK) this.env.addEventListener(name, this.network)
    this.#tick()
  }

  stop() {
    for (const name of NETWORK) this.env.removeEventListener(name, this.network)
    this.timers.clearAll()
    this.watching?.stop()
    this.watching = null
  }

  /** Something happened: a button, an answer, news of the session. */
  tell(type, more = {}) {
    if (!this.timers.has('tick')) return
    this.visit = step(this.visit, { type, ...more })
    this.#attend()
    this.onChange(this.visit, this.watching?.feed ?? null)
    this.#pursue()
  }

  #tick() {
    this.timers.after('tick', TICK, () => this.#tick())
    this.tell('tick', { now: this.env.moment() })
  }

  #attend() {
    const { sessionId } = this.visit
    if (sessionId === (this.watching?.sessionId ?? null)) return
    this.watching?.stop()
    this.watching = null
    if (sessionId === null) return
    this.watching = watchSession(sessionId, this.env, (use) => this.#heard(sessionId, use))
    // Its first news comes from within the call.
    this.watching.feed.connect()
  }

  #heard(sessionId, { state, status }) {
    if (status.value === 'gone') this.tell('gone', { sessionId })
    else this.tell('seen', { sessionId, state: state.value, feed: FEEDS[status.value] ?? 'waiting' })
  }

  async #pursue() {
    const what = wish(this.visit)
    if (what === null) return
    const { sessionId } = this.visit
    this.visit = step(this.visit, { type: 'called', what })
    this.tell(...(await this[what](sessionId).catch((fault) => this.#failure(sessionId, fault))))
  }

  #failure(sessionId, fault) {
    const problem = fault.problem ?? { code: 'SERVER_ERROR' }
    return ['failed', { sessionId, problem, random: this.env.random }]
  }

  // By the names of the wishes:

  async open() {
    const config = await fetchConfig(this.env)
    // Before the session, which may be refused: who asks for the PIN also says whom to ask.
    this.onConfig(config)
    const { sessionId } = await openVisit(this.env, config, this.category)
    return ['opened', { sessionId, patience: config.kioskIdle * 1000 }]
  }

  async handover(sessionId) {
    const { url, codeUrl, code, watchers } = await handOver(this.env, sessionId, this.visit.handed?.code ?? null)
    // It is there again: what is watched need not wait for its turn.
    if (this.watching?.feed.status.value === 'offline') this.watching.feed.nudge()
    // The kiosk itself watches too, but one that polls is not counted.
    const own = this.watching?.feed.transport.value === 'polling' ? 0 : 1
    return ['handed', { sessionId, handed: { url, codeUrl, code }, others: Math.max(0, watchers - own) }]
  }

  async complete(sessionId) {
    await complete(this.env, sessionId)
    return ['completed', { sessionId }]
  }
}
