// The checksums of files, one file at a time, by a worker that lives while there is something to do. Knows no entries:
// a key is asked with, and the answer comes to it. Where there is no worker or no WebAssembly the answer is null.

import { Timers } from './timers.js'

const WORKER = '/static/js/worker/checksum.js'
const IDLE = 10000
const KNOWN = ['blake3', 'sha256']

export class Checksums {
  /**
   * @param {object} env {Worker?, setTimeout, clearTimeout}
   * @param {(path: string) => any} address see scripts.js
   */
  constructor(env, address) {
    Object.assign(this, { env, address })
    this.timers = new Timers(env)
    this.algorithm = 'none'
    this.waiting = []
    this.current = null
    this.worker = null
    this.asked = 0
  }

  /**
   * @param {string} key
   * @param {(digest: {algorithm: string, value: string} | null) => void} done called once, later; not after `drop`
   */
  ask(key, file, done) {
    this.waiting.push({ key, file, done })
    // Later, so that whoever asks is never called back before the answer is expected.
    this.timers.after('next', 0, () => this.#next())
  }

  /** Somebody waits for this one: it is the next. */
  digest(key, file) {
    return new Promise((resolve) => {
      this.waiting.unshift({ key, file, done: resolve })
      this.timers.after('next', 0, () => this.#next())
    })
  }

  /** Nobody wants it any more. */
  drop(key) {
    this.waiting = this.waiting.filter((job) => job.key !== key)
    if (this.current?.key !== key) return
    // It may be in the middle of a long film.
    this.#end()
    this.timers.after('next', 0, () => this.#next())
  }

  close() {
    this.waiting = []
    this.#end()
  }

  #end() {
    this.timers.clearAll()
    this.current = null
    this.worker?.terminate()
    this.worker = null
  }

  #next() {
    if (this.current !== null) return
    const job = this.waiting.shift()
    if (job === undefined) return this.timers.after('idle', IDLE, () => this.#end())
    this.timers.clear('idle')
    this.current = { ...job, id: (this.asked += 1) }
    if (!this.#start()) return this.#answer(null)
    const { file, id } = this.current
    return this.worker.postMessage({ id, file, algorithm: this.algorithm })
  }

  #start() {
    if (!KNOWN.includes(this.algorithm)) return false
    if (this.worker !== null) return true
    try {
      this.worker = new this.env.Worker(this.address(WORKER))
    } catch {
      return false
    }
    this.worker.onmessage = ({ data: { id, value } }) => {
      if (id === this.current?.id) this.#answer(value === null ? null : { algorithm: this.algorithm, value })
    }
    this.worker.onerror = (event) => {
      event.preventDefault?.()
      this.#fail()
    }
    return true
  }

  // The script did not load, or the worker died: it is not made again for every file.
  #fail() {
    this.worker?.terminate()
    this.worker = null
    this.algorithm = 'none'
    if (this.current !== null) this.#answer(null)
  }

  #answer(digest) {
    const { done } = this.current
    this.current = null
    this.timers.after('next', 0, () => this.#next())
    done(digest)
  }
}
