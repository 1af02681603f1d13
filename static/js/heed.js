// What the station says of the files that this browser sends: which is whose, what need not be sent any more, what
// somebody else paused. Knows the queue; the station's list comes from the events.

import { OVER } from './entries.js'

const isFinal = ({ status, canRetry }) => status === 'failed' && canRetry === false

export class Heed {
  /** @param {import('./uploads.js').Uploads} uploads */
  constructor(uploads) {
    this.uploads = uploads
    this.clear()
  }

  clear() {
    this.seen = new Map()
    this.own = new Set()
  }

  /** We paused it: the station's word of that is no news. */
  expectPause({ fileId }) {
    if (fileId !== null) this.own.add(fileId)
  }

  expectNone({ fileId }) {
    this.own.delete(fileId)
  }

  /** @param {object[]} files as in events.js; one of which nothing changed is the same object as before */
  all(files) {
    for (const file of files) {
      const before = this.seen.get(file.id)
      if (before === file) continue
      this.seen.set(file.id, file)
      this.#learn(file, before)
    }
  }

  #learn(file, before) {
    const { uploads } = this
    const entry = uploads.entries.of(file.id) ?? this.#refused(file)
    if (!entry || OVER.includes(entry.phase)) return
    if (before !== undefined && file.uploadedBytes > before.uploadedBytes) this.#stored(entry)
    const asking = uploads.line.has(entry.key)
    if (file.status === 'cancelled') uploads.end(entry.key, 'cancelled')
    // The request, if there is one, reads its answer in peace.
    else if (file.status === 'completed') uploads.stored(entry.key)
    // A refusal's answer tells more than its event.
    else if (isFinal(file) && !asking) uploads.end(entry.key, 'failed', file.error)
    else if (before !== undefined && before.status !== file.status) this.#turned(file, before, entry)
  }

  // What arrived is progress: the next break is a first one again.
  #stored(entry) {
    this.uploads.line.stored(entry)
    this.uploads.entries.change(entry.key, { tries: 0 })
  }

  // Only a change is news: right after our own resume the station's list still says what was.
  #turned(file, before, { key, phase }) {
    if (file.status === 'paused' && !this.own.delete(file.id)) {
      if (phase === 'sending' || phase === 'waiting') this.uploads.halt(key)
    } else if (before.status === 'paused' && file.status === 'uploading' && phase === 'paused') this.uploads.retry(key)
  }

  // A file that was turned away when it was named has no number here: only the refusal tells it.
  #refused(file) {
    if (!isFinal(file)) return undefined
    const mine = this.uploads.entries.first(
      ({ fileId, file: picked, name, size }) =>
        fileId === null && picked !== null && name === file.originalName && size === (file.totalBytes ?? size),
    )
    if (mine) this.uploads.entries.change(mine.key, { fileId: file.id })
    return mine && this.uploads.entries.get(mine.key)
  }
}
