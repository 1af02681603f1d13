// The files that this browser sends, each an object that is never changed but replaced. Knows who is whose; decides nothing.

export const OVER = Object.freeze(['sent', 'failed', 'cancelled'])

/**
 * @typedef {{key: string, sessionId: string, file: File | null, fileId: string | null, name: string, size: number,
 *   lastModified: number | null, url: string | null, digest: object | null, checking: boolean, phase: string,
 *   problem: object | null, retryAt: number | null, tries: number, sent: number | null,
 *   still: boolean}} Entry
 *   phase: queued | sending | waiting | paused | wanted | sent | failed | cancelled; wanted: the file must be picked
 *   again; problem: of the last try, until the next one gets somewhere; sent: bytes that left this browser; still: it
 *   does not move, so that its speed is not known; url: a path
 */
export const newEntry = (key, sessionId, { file = null, fileId = null, ...known }) => ({
  key,
  sessionId,
  file,
  fileId,
  name: file?.name ?? known.name,
  size: file?.size ?? known.size,
  lastModified: file?.lastModified ?? known.lastModified ?? null,
  url: known.url ?? null,
  digest: known.digest ?? null,
  checking: false,
  phase: file === null ? 'wanted' : 'queued',
  problem: null,
  retryAt: null,
  tries: 0,
  sent: null,
  still: false,
})

export class Entries {
  /** @param {(entry: Entry, before: Entry | null) => void} onChange before is null for a new one */
  constructor(onChange) {
    this.onChange = onChange
    this.all = new Map()
    this.byFile = new Map()
  }

  list() {
    return [...this.all.values()]
  }

  get(key) {
    return this.all.get(key)
  }

  of(fileId) {
    return this.all.get(this.byFile.get(fileId))
  }

  put(entry) {
    const before = this.all.get(entry.key) ?? null
    if (before?.fileId && before.fileId !== entry.fileId) this.byFile.delete(before.fileId)
    if (entry.fileId !== null) this.byFile.set(entry.fileId, entry.key)
    this.all.set(entry.key, entry)
    this.onChange(entry, before)
  }

  /** Nothing happens for one that is not there any more, or of which all of that is true already. */
  change(key, change) {
    const entry = this.all.get(key)
    if (entry && Object.keys(change).some((name) => entry[name] !== change[name])) this.put({ ...entry, ...change })
  }

  remove(key) {
    const { fileId } = this.all.get(key) ?? {}
    if (fileId) this.byFile.delete(fileId)
    this.all.delete(key)
  }

  clear() {
    this.all.clear()
    this.byFile.clear()
  }

  /** The first in the order in which they came. */
  first(test) {
    for (const entry of this.all.values()) if (test(entry)) return entry
    return undefined
  }
}
