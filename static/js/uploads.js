// The queue of files that this browser sends: a few at once, tried again by itself when that can help.
// Knows requests and their answers; what the station made of a file comes by events and is told to it by `heed`.

import { backoff } from './backoff.js'
import { put } from './put.js'
import { Timers } from './timers.js'
import { retryable } from './words.js'

const AT_ONCE = 3
const TRIES = 5
const OVER = ['sent', 'failed', 'cancelled']
// Trying again helps with these only once somebody did something about it.
const BY_HAND = ['CHECKSUM_MISMATCH', 'INSUFFICIENT_STORAGE']

export class Uploads {
  /**
   * @param {object} env {XMLHttpRequest, setTimeout, clearTimeout, random, now}
   * @param {(entries: object[]) => void} onChange gets a new list of new objects whenever something changed
   */
  constructor(env, onChange) {
    Object.assign(this, { env, onChange })
    this.timers = new Timers(env)
    this.requests = new Map()
    this.entries = []
    this.made = 0
  }

  /** @param {{file: File, fileId: string | null}[]} items */
  add(sessionId, items) {
    const added = items.map(({ file, fileId }) => ({
      key: `local-${(this.made += 1)}`,
      sessionId,
      file,
      fileId,
      name: file.name,
      size: file.size,
      phase: 'queued',
      problem: null,
      tries: 0,
    }))
    this.#set([...this.entries, ...added])
    this.#fill()
  }

  /** Sends it again now. */
  retry(key) {
    this.timers.clear(key)
    this.#change(key, { phase: 'queued', problem: null, tries: 0 })
    this.#fill()
  }

  /** The station can be reached again: what waits need not wait. */
  revive() {
    for (const { key } of this.entries.filter(({ phase }) => phase === 'waiting')) this.retry(key)
  }

  /** Stops sending without a word to the station. */
  drop(key) {
    this.#end(key, 'cancelled')
    this.#fill()
  }

  dropAll() {
    for (const { key, phase } of this.entries) if (!OVER.includes(phase)) this.#end(key, 'cancelled')
  }

  /** Forgets everything, for the next session. */
  clear() {
    this.dropAll()
    this.#set([])
  }

  get busy() {
    return this.entries.some(({ phase }) => !OVER.includes(phase))
  }

  /** Learns from the station's list which file is whose, and what need not be sent any more. */
  heed(files) {
    const known = new Set(this.entries.map(({ fileId }) => fileId))
    for (const entry of this.entries.filter(({ fileId }) => fileId === null)) {
      const mine = files.find(
        (file) => !known.has(file.id) && file.originalName === entry.name && file.totalBytes === entry.size,
      )
      if (mine) {
        known.add(mine.id)
        this.#change(entry.key, { fileId: mine.id })
      }
    }
    for (const file of files) {
      const entry = this.entries.find(({ fileId, phase }) => fileId === file.id && !OVER.includes(phase))
      if (!entry) continue
      if (file.status === 'cancelled') this.#end(entry.key, 'cancelled')
      // A refusal's answer tells more than its event: the request, if there is one, may still read it.
      if (file.status === 'failed' && file.canRetry === false && !this.requests.has(entry.key)) {
        this.#end(entry.key, 'failed', file.error)
      }
    }
    this.#fill()
  }

  #set(entries) {
    this.entries = entries
    this.onChange(entries)
  }

  #change(key, change) {
    this.#set(this.entries.map((entry) => (entry.key === key ? { ...entry, ...change } : entry)))
  }

  #end(key, phase, problem = null) {
    this.timers.clear(key)
    const request = this.requests.get(key)
    this.requests.delete(key)
    this.#change(key, { phase, problem })
    request?.abort()
  }

  #fill() {
    while (this.requests.size < AT_ONCE) {
      const next = this.entries.find(({ phase }) => phase === 'queued')
      if (next === undefined) return
      this.#send(next)
    }
  }

  #send(entry) {
    const { key } = entry
    const request = put(this.env, entry, (outcome) => {
      // Cancelled meanwhile, or sent anew.
      if (this.requests.get(key) !== request) return
      this.requests.delete(key)
      this.#settle(key, outcome)
      this.#fill()
    })
    this.requests.set(key, request)
    this.#change(key, { phase: 'sending' })
  }

  #settle(key, { fileId, problem, retryAfter }) {
    if (problem === null) this.#change(key, { phase: 'sent', problem: null, ...(fileId && { fileId }) })
    else if (problem.code === 'UPLOAD_ALREADY_COMPLETED') this.#end(key, 'sent')
    else if (problem.code === 'UPLOAD_CANCELLED') this.#end(key, 'cancelled')
    else this.#again(key, problem, retryAfter)
  }

  #again(key, problem, retryAfter) {
    const { tries, file } = this.entries.find((entry) => entry.key === key)
    // A network may be away for long, and the station itself says when a file has been tried too often.
    const patient = problem.code === 'NETWORK_ERROR' || tries + 1 < TRIES
    if (!retryable(problem.code) || BY_HAND.includes(problem.code) || !patient) {
      this.#end(key, 'failed', problem)
      return
    }
    const delay = backoff(tries, { base: 1000, cap: 10000, random: this.env.random, retryAfter })
    this.#change(key, { phase: 'waiting', problem, tries: tries + 1 })
    this.timers.after(key, delay, () => {
      this.#change(key, { phase: 'queued' })
      this.#fill()
    })
    if (problem.code === 'NETWORK_ERROR') this.#look(key, file)
  }

  // To the request, a file that was changed or removed meanwhile looks like a broken connection.
  async #look(key, file) {
    const waiting = () => this.entries.some((entry) => entry.key === key && entry.phase === 'waiting')
    if (!(await readable(file)) && waiting()) this.#end(key, 'failed', { code: 'FILE_UNREADABLE' })
  }
}

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer()
    return true
  } catch {
    return false
  }
}
