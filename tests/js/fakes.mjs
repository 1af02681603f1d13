// A browser's surroundings, by hand: time that stands still until told, sockets that the test opens and cuts,
// and a small station behind them that follows the contract's rules for joining and replay.

import * as en from '../../static/js/en.js'
import * as rest from '../../static/js/rest.js'
import { wordsFor } from '../../static/js/words.js'
import * as zh from '../../static/js/zh.js'
import '../../static/vendor/tus.min.js'
import { ID, snapshot } from './messages.mjs'

const MODULES = { 'rest.js': rest, 'en.js': en, 'zh.js': zh }

/** @param {string} language "zh-CN" or "en" */
export const wordsIn = (language) => wordsFor(language, (language === 'en' ? en : zh).STRINGS)

export class Clock {
  constructor() {
    this.now = 0
    this.timers = new Map()
    this.ids = 0
    this.setTimeout = (call, delay = 0) => {
      this.timers.set((this.ids += 1), { at: this.now + Math.max(0, delay), call })
      return this.ids
    }
    this.clearTimeout = (id) => this.timers.delete(id)
  }

  /** Runs what is due, in order, giving promises their turns in between. */
  async pass(span) {
    const end = this.now + span
    for (;;) {
      await settle()
      const [id, next] = [...this.timers].sort(([a, x], [b, y]) => x.at - y.at || a - b)[0] ?? []
      if (next === undefined || next.at > end) break
      this.timers.delete(id)
      this.now = next.at
      next.call()
    }
    this.now = end
  }
}

/** Lets all promises that can go on do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A row of numbers in [0, 1) that is the same on every run. */
export function dice(seed) {
  let state = seed >>> 0 || 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

export class Station {
  constructor(clock, { random = () => 0.5 } = {}) {
    Object.assign(this, { clock, random, epoch: 'e1', log: [], files: [], summary: null, last: null, hidden: 0 })
    this.up = { websocket: true, sse: true, polling: true }
    this.watchers = new Set()
    this.asked = []
    const station = this
    this.env = {
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      random,
      now: () => clock.now,
      location: { protocol: 'http:', host: 'station:8005' },
      addEventListener() {},
      removeEventListener() {},
      fetch: (url, options) => station.answer(new URL(url, 'http://station:8005'), options),
      WebSocket: class {
        constructor(url) {
          station.dial(this, url)
        }
        send(text) {
          station.heard(this, text)
        }
        close() {
          station.watchers.delete(this)
        }
      },
      EventSource: class {
        constructor(url) {
          station.stream(this, url)
        }
        close() {
          station.watchers.delete(this)
        }
      },
    }
  }

  // --- what happens in the session ---

  /** A lifecycle event, told to whoever is connected. */
  tell(make, ...rest) {
    const message = make(this.log.length + 1, ...rest)
    this.log.push(message)
    this.push(message)
  }

  push(message) {
    for (const watcher of [...this.watchers]) if (watcher.joined) this.later(() => watcher.give(message))
  }

  later(call) {
    this.clock.setTimeout(call, 1)
  }

  cut(watcher) {
    this.watchers.delete(watcher)
    this.later(() => watcher.drop())
  }

  cutAll() {
    for (const watcher of [...this.watchers]) this.cut(watcher)
  }

  snapshot() {
    return snapshot({
      files: this.files,
      seq: this.log.length,
      epoch: this.epoch,
      ...(this.summary && { summary: this.summary, overallStatus: 'completed' }),
    })
  }

  missed(since, epoch) {
    if (since === null) return { resync: false, events: [], from: this.log.length }
    if (epoch !== this.epoch || since > this.log.length) return { resync: true, events: [], from: since }
    return { resync: false, events: this.log.slice(since), from: since }
  }

  // --- the transports ---

  dial(socket, url) {
    const { searchParams } = new URL(url)
    this.asked.push(`ws ${searchParams}`)
    socket.give = (message) => socket.onmessage?.({ data: JSON.stringify(message) })
    socket.drop = () => socket.onclose?.({ code: 1006 })
    if (this.up.websocket === 'silent') return
    if (!this.up.websocket) {
      this.later(() => {
        socket.onerror?.({})
        socket.drop()
      })
      return
    }
    this.watchers.add(socket)
    this.later(() => {
      if (!this.watchers.has(socket)) return
      socket.onopen?.({})
      if (searchParams.get('sessionId')) this.admit(socket, searchParams)
    })
  }

  heard(socket, text) {
    const { event, data } = JSON.parse(text)
    this.asked.push(`says ${event}`)
    if (event === 'join-session') this.admit(socket, new URLSearchParams(data))
    if (event === 'upload-progress' && this.up.websocket === true)
      this.later(() =>
        socket.give({ event, seq: this.log.length, data: { sessionId: ID, fileId: null, overallStatus: 'uploading' } }),
      )
  }

  stream(source, url) {
    const { searchParams } = new URL(url, 'http://station:8005')
    this.asked.push(`sse ${searchParams}`)
    source.give = (message) => source.onmessage?.({ data: JSON.stringify(message) })
    source.drop = () => source.onerror?.({})
    if (!this.up.sse) {
      this.later(source.drop)
      return
    }
    this.watchers.add(source)
    this.later(() => {
      if (!this.watchers.has(source)) return
      source.onopen?.({})
      if (this.up.sse !== 'held back')
        this.admit(source, new URLSearchParams({ sessionId: ID, ...Object.fromEntries(searchParams) }))
    })
  }

  admit(watcher, asked) {
    if (asked.get('sessionId') !== ID) {
      this.later(() =>
        watcher.give({ event: 'error', seq: 0, data: { event: 'join-session', error: { code: 'SESSION_NOT_FOUND' } } }),
      )
      return
    }
    const since = asked.has('lastSeq') ? Number(asked.get('lastSeq')) : null
    const { resync, events, from } = this.missed(since, asked.get('epoch'))
    const told = { ...this.snapshot(), currentSeq: this.log.length, ...(resync && { resync }) }
    for (const message of [
      { event: 'session-joined', seq: from, data: told },
      ...events,
      ...(this.last ? [this.last] : []),
    ]) {
      this.later(() => this.watchers.has(watcher) && watcher.give(message))
    }
    watcher.joined = true
  }

  async answer(url, { signal } = {}) {
    const { searchParams } = url
    this.asked.push(`poll ${searchParams}`)
    await new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')))
      if (this.up.polling !== 'silent') this.later(resolve)
    })
    if (!this.up.polling) throw new TypeError('Failed to fetch')
    const status = typeof this.up.polling === 'number' ? this.up.polling : 200
    const headers = new Headers(status === 503 ? { 'Retry-After': '60' } : {})
    if (status !== 200) return { ok: false, status, headers, json: async () => ({}) }
    const since = searchParams.has('since') ? Number(searchParams.get('since')) : null
    const { resync, events } = this.missed(since, searchParams.get('epoch'))
    const body = structuredClone({ ...this.snapshot(), ...(resync && { resync }), ...(since !== null && { events }) })
    return { ok: true, status, headers, json: async () => body }
  }
}

/** The requests of tus-js-client, by hand. Uploads are made at once when `opens`; the rest waits for the test. */
export class Uplink {
  constructor() {
    Object.assign(this, { requests: [], opens: true, made: 0 })
    this.stack = { createRequest: (method, url) => this.#request(method, url) }
  }

  /** Those that carry content, and are neither answered nor ended. */
  get open() {
    return this.requests.filter(({ method, over }) => method === 'PATCH' && !over)
  }

  get last() {
    return this.requests.at(-1)
  }

  /** The metadata of a POST. */
  static told({ headers }) {
    const pairs = headers['Upload-Metadata'].split(',').map((pair) => pair.split(' '))
    return Object.fromEntries(pairs.map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]))
  }

  #request(method, url) {
    const request = new UplinkRequest(method, url)
    request.begun = () => {
      this.requests.push(request)
      if (method === 'POST' && this.opens) this.create(request)
    }
    return request
  }

  create(request) {
    const { fileId = `new-${(this.made += 1)}` } = Uplink.told(request)
    request.answer(201, { Location: `/files/${fileId}`, 'X-File-Id': fileId, 'Upload-Offset': '0' })
  }
}

class UplinkRequest {
  constructor(method, url) {
    Object.assign(this, { method, url, headers: {}, over: false, aborted: false })
    this.ended = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }))
  }
  getMethod() {
    return this.method
  }
  getURL() {
    return this.url
  }
  setHeader(name, value) {
    this.headers[name] = value
  }
  getHeader(name) {
    return this.headers[name]
  }
  setProgressHandler(handler) {
    this.progress = handler
  }
  send(body) {
    this.body = body
    this.begun()
    return this.ended
  }
  abort() {
    Object.assign(this, { over: true, aborted: true })
    return Promise.resolve()
  }
  answer(status, headers = {}, body = null) {
    this.over = true
    const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    this.resolve({ getStatus: () => status, getHeader: (name) => headers[name] ?? null, getBody: () => text })
  }
  refuse(status, error, more = {}) {
    this.answer(status, more.headers, { error, ...more.body })
  }
  /** All of it is stored. */
  finish() {
    this.answer(204, { 'Upload-Offset': String(Number(this.headers['Upload-Offset']) + this.body.size) })
  }
  breakOff() {
    this.over = true
    this.reject(new Error('network'))
  }
}

/** Rejects when the signal says so, as fetch does. */
const abortion = (signal) =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))

/** What a page has beyond a Station's surroundings: an uplink, a storage, frames, and no network trouble. */
export function pageOf(clock, station = new Station(clock)) {
  const uplink = new Uplink()
  const listeners = new Map()
  const kept = new Map()
  const page = { online: true, hidden: false, path: '/', reloads: 0, calls: [], answers: {} }
  const env = {
    ...station.env,
    httpStack: uplink.stack,
    wakeLock: { request: async () => ({ release: async () => {} }) },
    storage: () => ({
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, text) => kept.set(name, text),
      removeItem: (name) => kept.delete(name),
    }),
    onLine: () => page.online,
    hidden: () => page.hidden,
    requestAnimationFrame: (call) => clock.setTimeout(call, 16),
    cancelAnimationFrame: clock.clearTimeout,
    library: async () => globalThis.tus,
    module: async (name) => MODULES[name],
    noSleep: () => undefined,
    show: (path) => {
      page.path = path
    },
    reload: () => {
      page.reloads += 1
    },
    addEventListener: (name, call) => listeners.set(name, (listeners.get(name) ?? new Set()).add(call)),
    removeEventListener: (name, call) => listeners.get(name)?.delete(call),
    fetch: (url, options = {}) => fetched(url, options),
  }
  async function fetched(url, options) {
    const path = url.replace(/\?.*/, '')
    const name = Object.keys(page.answers).find((each) => path.startsWith(each))
    if (name === undefined) return station.env.fetch(url, options)
    page.calls.push([options.method ?? 'GET', path, options.body === undefined ? null : JSON.parse(options.body)])
    const answer = page.answers[name](page.calls.at(-1)[2], path)
    const { status = 200, body = {}, headers = {} } = (await Promise.race([answer, abortion(options.signal)])) ?? {}
    return { ok: status < 400, status, headers: new Headers(headers), json: async () => body }
  }
  const tell = (name, event = {}) => [...(listeners.get(name) ?? [])].forEach((call) => call(event))
  return { clock, station, uplink, env, page, kept, listeners, tell }
}

/** A file as a picker gives it. */
export const picked = (name, size = 1000, lastModified = 1) =>
  Object.assign(new Blob(['x'.repeat(size)]), { name, lastModified })
