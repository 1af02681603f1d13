// One row per file for the eye: what the station says of it, joined to what this browser is doing with it. Pure.

/** The last step of a stored file's public name. */
export const storedName = (uploadPath) => uploadPath?.slice(uploadPath.lastIndexOf('/') + 1) ?? ''

const STORED = ['completed', 'cancelled']

// The station's word counts; but what did not reach the station, only this browser knows.
function phaseOf(file, entry) {
  if (STORED.includes(file.status)) return file.status
  if (file.status === 'failed' && file.canRetry === false) return 'failed'
  if (entry?.phase === 'waiting' || entry?.phase === 'failed') return entry.phase
  if (file.status === 'failed') return entry?.phase === 'queued' || entry?.phase === 'sending' ? 'queued' : 'failed'
  if (file.status === 'uploading') return file.progress >= 100 ? 'saving' : 'uploading'
  return file.status === 'pending' ? 'queued' : file.status
}

function rowOf(file, entry) {
  const phase = phaseOf(file, entry)
  const final = STORED.includes(file.status) || (file.status === 'failed' && file.canRetry === false)
  return {
    key: file.id,
    fileId: file.id,
    entry: entry?.key ?? null,
    name: file.originalName,
    size: file.totalBytes ?? entry?.size ?? null,
    phase,
    progress: phase === 'completed' ? 100 : file.progress,
    uploaded: file.uploadedBytes,
    speed: phase === 'uploading' ? file.uploadSpeed : null,
    remaining: phase === 'uploading' ? (file.estimatedTimeRemaining ?? null) : null,
    problem:
      phase === 'failed' || phase === 'waiting'
        ? ((final ? null : entry?.problem) ?? file.error ?? entry?.problem ?? null)
        : null,
    reason: file.reason ?? null,
    stored: storedName(file.uploadPath),
    canCancel: !final,
    canRetry: phase === 'failed' && !final && entry !== undefined,
    elsewhere: phase === 'failed' && !final && entry === undefined,
  }
}

// Only a file that was added to an open session waits here without a number.
function rowOfEntry(entry) {
  const phase = entry.phase === 'sent' || entry.phase === 'sending' ? 'uploading' : entry.phase
  return {
    key: entry.key,
    fileId: null,
    entry: entry.key,
    name: entry.name,
    size: entry.size,
    phase,
    progress: 0,
    uploaded: 0,
    speed: null,
    remaining: null,
    problem: entry.problem,
    reason: null,
    stored: '',
    canCancel: ['queued', 'sending', 'waiting'].includes(entry.phase),
    canRetry: entry.phase === 'failed',
    elsewhere: false,
  }
}

/**
 * Makes a function (state, entries) -> rows: in the station's order, then what the station has not heard of yet.
 * A row of which nothing changed is the same object as before, so that drawing it again can be skipped.
 */
export function rowMaker() {
  const made = new WeakMap()
  const once = (file, entry) => {
    const old = made.get(file)
    if (old !== undefined && old.entry === entry) return old.row
    const row = rowOf(file, entry)
    made.set(file, { entry, row })
    return row
  }
  return (state, entries) => {
    const mine = new Map(entries.filter(({ fileId }) => fileId !== null).map((entry) => [entry.fileId, entry]))
    const told = new Set(state.files.map(({ id }) => id))
    return [
      ...state.files.map((file) => once(file, mine.get(file.id))),
      ...entries.filter(({ fileId }) => fileId === null || !told.has(fileId)).map(rowOfEntry),
    ]
  }
}

/** Which sentence heads a settled session. */
export function ending({ overallStatus, summary }) {
  if (overallStatus === 'cancelled' || (summary.completedFiles === 0 && summary.failedFiles === 0))
    return 'cancelledTitle'
  if (summary.completedFiles === 0) return 'failedTitle'
  return summary.failedFiles + summary.cancelledFiles > 0 ? 'doneSomeTitle' : 'doneTitle'
}
