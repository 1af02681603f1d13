// A station as the operator's page meets it: answers, a socket, made-up numbers. Time stands still until told.

import { withMonitor } from '../../static/js/monitor/words.js'
import { Clock, wordsIn } from './fakes.mjs'

/** 2026-11-28 12:00 UTC */
export const NOON = Date.UTC(2026, 10, 28, 12)

export const monitorWords = (language) => withMonitor(wordsIn(language), () => NOON)

const TABLE = {
  latency: ['s', 0.2, 'lower'],
  reconnects: ['per hour', 5, 'lower'],
  speed: ['B/s', 1e6, 'higher'],
  success: ['%', 95, 'higher'],
  memory: ['%', 80, 'lower'],
  cpu: ['%', 70, 'lower'],
  disk: ['s', 604800, 'higher'],
}

/** @param {object} values by name: [value, state] */
export const indicatorsOf = (values = {}) =>
  Object.entries(TABLE).map(([name, [unit, threshold, better]]) => {
    const [value, state] = values[name] ?? [null, 'unknown']
    return { name, unit, value, threshold, better, state, warning: threshold, basis: value === null ? 0 : 3 }
  })

export const overviewOf = (more = {}) => ({
  status: 'ok',
  version: '0.1.0',
  uptime: 7200,
  indicators: indicatorsOf(),
  disk: { free: 5e11, total: 1e12, perDay: null, lasts: null },
  now: {
    throughput: 0,
    uploads: 0,
    sessions: 0,
    sessionsWithFiles: 0,
    delay: 0,
    watchers: { websocket: 0, sse: 0, polling: 0 },
  },
  process: { memory: 1e8, cpu: 1 },
  stored: { files: 0, bytes: 0 },
  sessions: [],
  letters: { dead: 0, waiting: 0 },
  changes: 1,
  ...more,
})

/** The surroundings of a page, and hands on what is on the other side of them. */
export function station() {
  const clock = new Clock()
  clock.now = NOON
  const far = { clock, sockets: [], calls: [], answers: {}, said: [], reloads: 0, listeners: new Map(), refuses: false }
  const fetch = async (path, { method = 'GET', signal } = {}) => {
    far.calls.push(`${method} ${path}`)
    const name = Object.keys(far.answers).find((each) => path.startsWith(each))
    const answer = name === undefined ? null : far.answers[name]
    if (answer === 'silence') await new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error())))
    if (answer === null) throw new TypeError('Failed to fetch')
    const { status = 200, body = {} } = typeof answer === 'function' ? await answer(path) : answer
    return { ok: status < 400, status, headers: new Headers(), json: async () => body }
  }
  class Socket {
    constructor(url) {
      if (far.refuses) throw new Error('forbidden')
      this.url = url
      this.open = false
      far.sockets.push(this)
    }
    send(text) {
      far.said.push(JSON.parse(text))
    }
    close() {
      this.closed = true
    }
    /** It opens, and the station lets the operator watch. */
    join(overview = overviewOf()) {
      this.onopen({})
      this.give('monitor-joined', overview)
    }
    give(event, data, seq) {
      this.onmessage({ data: JSON.stringify({ event, data, seq }) })
    }
  }
  const env = {
    WebSocket: Socket,
    fetch,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    location: { protocol: 'http:', host: 'station:8005', hash: '' },
    random: () => 0.5,
    now: () => clock.now,
    history: {
      state: null,
      replaceState: (state, title, address) => {
        env.location.hash = address
      },
    },
    addEventListener: (name, call) => far.listeners.set(name, call),
    removeEventListener: (name) => far.listeners.delete(name),
    reload: () => {
      far.reloads += 1
    },
  }
  return Object.assign(far, { env })
}
