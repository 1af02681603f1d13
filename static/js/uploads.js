// The queue of files that this browser sends: a few at once, tried again as the kind of error asks for. Knows requests
// and their outcomes; what the station made of a file is told to it (see heed.js), drawing and memory are others' affair.

import { Entries, newEntry, OVER } from './entries.js'
import { Heed } from './heed.js'
import { isLoss, isUnheard, kindOf } from './kinds.js'
import { Line } from './line.js'
import { Patience } from './patience.js'

// Where the session itself takes no more, the file may go into another one.
const HOMELESS = ['SESSION_CLOSED', 'SESSION_NOT_FOUND']

const isHomeless = ({ phase, problem }) =>
  phase === 'failed' ? HOMELESS.includes(problem.code) : phase !== 'cancelled' && phase !== 'sent'

export class Uploads {
  /**
   * @param {object} env {setTimeout, clearTimeout, random, now, location, httpStack?}
   * @param {object} on
   *   entry(entry, before) whenever one changed; pause(entry) tells the station, and may fail;
   *   recall(entry): the station is to cancel it; may not fail
   *   homeless(): the session was over before all files were known there; see `evict`;
   *   unheard(): the station did not answer, or the network swallowed a request
   */
  constructor(env, on) {
    Object.assign(this, { env, on })
    this.entries = new Entries((entry, before) => this.#changed(entry, before))
    this.line = new Line(env, this.entries, (key, outcome) => this.#done(key, outcome))
    this.patience = new Patience(env, this.entries, () => this.fill())
    this.heeding = new Heed(this)
    this.made = 0
  }

  /** @param {{file: File, fileId: string | null}[]} items */
  add(sessionId, items) {
    for (const item of items) this.entries.put(newEntry(this.#newKey(), sessionId, item))
    this.fill()
  }

  /** Files of an earlier visit. They wait until they are picked again. */
  restore(sessionId, remembered) {
    for (const { key, ...known } of remembered) this.entries.put(newEntry(key, sessionId, known))
  }

  /** The file that one of them waits for. */
  give(key, file) {
    this.entries.change(key, { file, lastModified: file.lastModified ?? null, phase: 'queued' })
    this.fill()
  }

  list() {
    return this.entries.list()
  }

  /** Sends it again now, or goes on. */
  retry(key) {
    const entry = this.entries.get(key)
    if (!entry?.file || entry.phase === 'sent' || (entry.phase === 'sending' && this.line.has(key))) return
    this.patience.rest(key)
    this.line.heard()
    this.entries.change(key, { phase: 'queued', problem: null, retryAt: null, tries: 0 })
    this.fill()
  }

  /** The station can be reached again: what waits need not wait. */
  revive() {
    this.patience.online = true
    this.line.doubt()
    this.line.heard()
    for (const { key, phase } of this.list()) if (phase === 'waiting') this.retry(key)
    this.fill()
  }

  /** There is no network: nothing is tried before it is back. */
  rest() {
    this.patience.online = false
    this.line.doubt()
    for (const { key, phase, problem } of this.list()) {
      if (phase === 'waiting' && kindOf(problem.code) === 'network') this.patience.wait(key, problem, null)
    }
  }

  /** The station hears of it first, so that what then breaks is a pause there, too, and no failure. */
  async pause(key) {
    const request = this.line.get(key)
    const entry = this.entries.get(key)
    if (!entry?.file || OVER.includes(entry.phase)) return
    this.patience.rest(key)
    this.entries.change(key, { phase: 'paused', problem: null, retryAt: null })
    if (request === undefined) return
    this.heeding.expectPause(entry)
    await this.on.pause(entry).catch(() => this.heeding.expectNone(entry))
    // Perhaps it has got through meanwhile, or been sent anew.
    if (this.line.get(key) === request) this.stop(key)
  }

  /** Somebody else paused it. */
  halt(key) {
    this.patience.rest(key)
    this.entries.change(key, { phase: 'paused', problem: null, retryAt: null })
    this.stop(key)
  }

  /** It was cancelled here; the station knows, or has not heard of it. What it hears just now is recalled. */
  drop(key) {
    const entry = this.entries.get(key)
    // Its request brings the number by which it can be recalled.
    if (entry?.fileId === null && this.line.has(key)) this.#over(key, 'cancelled')
    else if (entry) this.end(key, 'cancelled')
    this.fill()
  }

  /** Files of which the station has never heard, and which nobody cancelled. */
  homeless() {
    return this.list().filter((entry) => entry.file !== null && entry.fileId === null && isHomeless(entry))
  }

  /** Gives those back. @returns {File[]} */
  evict() {
    const homeless = this.homeless()
    for (const { key } of homeless) {
      this.end(key, 'cancelled')
      this.entries.remove(key)
    }
    return homeless.map(({ file }) => file)
  }

  dropAll() {
    for (const { key, phase } of this.list()) if (!OVER.includes(phase)) this.end(key, 'cancelled')
  }

  /** Forgets everything, for the next session. */
  clear() {
    this.dropAll()
    this.line.stopAll()
    this.entries.clear()
    this.heeding.clear()
    this.line.reset()
  }

  /** The page goes: nothing is sent any more, and all of it can be gone on with. */
  stopAll() {
    this.patience.timers.clearAll()
    this.line.stopAll()
  }

  heed(files) {
    this.heeding.all(files)
  }

  /** All of it is safe. */
  stored(key) {
    const { size, phase } = this.entries.get(key)
    if (phase === 'sending') this.line.finished()
    this.patience.rest(key)
    this.entries.change(key, { phase: 'sent', problem: null, retryAt: null, sent: size })
    this.fill()
  }

  end(key, phase, problem = null) {
    this.#over(key, phase, problem)
    this.stop(key)
  }

  #over(key, phase, problem = null) {
    this.patience.rest(key)
    this.entries.change(key, { phase, problem, retryAt: null })
  }

  #changed(entry, before) {
    this.on.entry(entry, before)
    const { key, phase, fileId } = entry
    if (phase !== 'cancelled' || fileId === null || before?.fileId !== null) return
    this.on.recall(entry).then(() => this.stop(key))
  }

  stop(key) {
    this.line.stop(key)
    this.fill()
  }

  fill() {
    while (this.line.hasRoom) {
      const next = this.#next()
      if (next === undefined) return
      this.entries.change(next.key, { phase: 'sending', retryAt: null })
      this.line.send(next)
    }
  }

  #next() {
    // One that is being paused still has its old request.
    const isReady = ({ key, phase }) => phase === 'queued' && !this.line.has(key)
    if (!this.line.held) return this.entries.first(isReady)
    // One that was lost finds out whether the station can be reached; the others need not be lost, too.
    const isLost = ({ problem }) => problem !== null && isLoss(problem.code)
    const probe = this.entries.first((entry) => isReady(entry) && isLost(entry))
    const later = probe ?? this.entries.first((entry) => entry.phase === 'waiting' && isLost(entry))
    return later === undefined ? this.entries.first(isReady) : probe
  }

  // Several pages, and visits, of one browser remember their files in one place.
  #newKey() {
    const key = `local-${(this.made += 1)}-${Math.floor(this.env.random() * 2 ** 32).toString(36)}`
    return this.entries.get(key) ? this.#newKey() : key
  }

  #done(key, { problem, retryAfter = null, paused = false }) {
    const { phase } = this.entries.get(key)
    if (paused) this.halt(key)
    else if (problem === null || problem.code === 'UPLOAD_ALREADY_COMPLETED') this.stored(key)
    else if (problem.code === 'UPLOAD_CANCELLED') this.end(key, 'cancelled')
    else if (phase === 'sending') this.#failed(key, problem, retryAfter)
    this.fill()
  }

  #failed(key, problem, retryAfter) {
    if (isLoss(problem.code)) this.line.lost()
    else this.line.heard()
    this.entries.change(key, { still: isLoss(problem.code) })
    this.patience.wait(key, problem, retryAfter)
    if (isUnheard(problem.code)) this.on.unheard()
    if (HOMELESS.includes(problem.code) && this.entries.get(key).fileId === null) this.on.homeless()
  }
}
