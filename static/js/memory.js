// What this browser sends, kept so that it can go on after a reload, a crash or an empty battery. Knows the shape and
// the storage; who writes what when is others' affair. A storage that is missing, full or spoilt hurts nobody.

import { PLACE } from './pageEnv.js'
import { Timers } from './timers.js'

// Files of a batch change together; each change would be a write of all.
const TOGETHER = 250

const KEPT = ['key', 'fileId', 'name', 'size', 'lastModified', 'url', 'digest']

const isText = (value) => typeof value === 'string' && value !== ''
const isFile = (file) => isText(file?.key) && isText(file.name) && Number.isFinite(file.size)
const orNull = (value, good) => (good(value) ? value : null)

// What is written there may be of another version, or of anybody who found the console.
const cleaned = (file) => ({
  key: file.key,
  fileId: orNull(file.fileId, isText),
  name: file.name,
  size: file.size,
  lastModified: orNull(file.lastModified, Number.isFinite),
  url: orNull(file.url, isText),
  digest: isText(file.digest?.value) && isText(file.digest.algorithm) ? file.digest : null,
  arrived: file.arrived === true,
})

export class Memory {
  /** @param {object} env {storage(), setTimeout, clearTimeout, now}; storage() may throw */
  constructor(env) {
    this.env = env
    this.timers = new Timers(env)
    this.changes = new Map()
    this.over = new Set()
  }

  /** @returns {{sessionId: string, at: number, files: object[]}[]} newest first */
  sessions() {
    this.flush()
    return Object.entries(this.#read())
      .map(([sessionId, { at, files }]) => ({ sessionId, at, files: Object.values(files).map(cleaned) }))
      .sort((a, b) => b.at - a.at)
  }

  files(sessionId) {
    return this.sessions().find((session) => session.sessionId === sessionId)?.files ?? []
  }

  /** @param {object} entry see entries.js */
  keep(entry) {
    // A digest may come when all is over.
    if (this.over.has(entry.sessionId)) return
    const file = Object.fromEntries(KEPT.map((name) => [name, entry[name]]))
    // Who is asked for the same files once more picks all of them, also those that need not be sent again.
    this.#change(entry.sessionId, entry.key, { ...file, arrived: entry.phase === 'sent' })
  }

  drop({ sessionId, key }) {
    this.#change(sessionId, key, null)
  }

  /** It is over, here and in all of the memory. */
  forget(sessionId) {
    this.over.add(sessionId)
    this.#erase(sessionId)
  }

  #erase(sessionId) {
    this.changes.delete(sessionId)
    this.#write((sessions) => delete sessions[sessionId])
  }

  /** @param {number} age milliseconds, after which a session cannot be gone on with */
  prune(age) {
    const now = this.env.now()
    const old = this.sessions().filter(({ at }) => now - at > age)
    for (const { sessionId } of old) this.#erase(sessionId)
  }

  /** Writes what waits: the page may be gone in a moment. */
  flush() {
    this.timers.clearAll()
    if (this.changes.size === 0) return
    const changes = this.changes
    this.changes = new Map()
    this.#write((sessions) => {
      for (const [sessionId, files] of changes) this.#merge(sessions, sessionId, files)
    })
  }

  // Another page may have written meanwhile: only our own files are touched.
  #merge(sessions, sessionId, changed) {
    const files = { ...sessions[sessionId]?.files }
    for (const [key, file] of changed) {
      if (file === null) delete files[key]
      else files[key] = file
    }
    if (Object.keys(files).length === 0) delete sessions[sessionId]
    else sessions[sessionId] = { at: this.env.now(), files }
  }

  #change(sessionId, key, file) {
    if (!this.changes.has(sessionId)) this.changes.set(sessionId, new Map())
    this.changes.get(sessionId).set(key, file)
    if (!this.timers.has('write')) this.timers.after('write', TOGETHER, () => this.flush())
  }

  #read() {
    try {
      const { sessions } = JSON.parse(this.env.storage().getItem(PLACE))
      const whole = Object.entries(sessions).map(([id, { at, files }]) => [id, { at, files: good(files) }])
      return Object.fromEntries(whole.filter(([, { at }]) => Number.isFinite(at)))
    } catch {
      return {}
    }
  }

  #write(change) {
    const sessions = this.#read()
    change(sessions)
    try {
      if (Object.keys(sessions).length === 0) this.env.storage().removeItem(PLACE)
      else this.env.storage().setItem(PLACE, JSON.stringify({ sessions }))
    } catch {
      // Full or forbidden: then it cannot be gone on with after a reload, but what is being sent goes on.
    }
  }
}

const good = (files) =>
  Object.fromEntries(Object.entries(files).filter(([key, file]) => isFile(file) && file.key === key))
