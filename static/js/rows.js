// One row per file for the eye: what the station says of it, joined to what this browser is doing with it. Pure.

import { kindOf, retrying } from './kinds.js'

/** The last step of a stored file's public name. */
export const storedName = (uploadPath) => uploadPath?.slice(uploadPath.lastIndexOf('/') + 1) ?? ''

const STORED = ['completed', 'cancelled']
const ONES_OWN = ['waiting', 'failed', 'paused']
const UNDER_WAY = ['queued', 'sending']
const PAUSABLE = ['queued', 'waiting']

const isFinal = ({ status, canRetry }) => STORED.includes(status) || (status === 'failed' && canRetry === false)

const isSaving = ({ status, progress }) => status === 'uploading' && progress >= 100

// The station's word counts; but what did not reach the station, only this browser knows.
function phaseOf(file, entry) {
  if (isFinal(file)) return file.status
  // Nobody sends it, though the station may not have noticed yet; what it has whole needs nobody.
  if (entry?.phase === 'wanted') return isSaving(file) ? 'saving' : 'paused'
  if (ONES_OWN.includes(entry?.phase)) return entry.phase
  const ours = UNDER_WAY.includes(entry?.phase)
  if (file.status === 'failed') return ours ? 'queued' : 'failed'
  // The station has not noticed yet that it broke.
  if (entry?.phase === 'queued') return 'queued'
  if (file.status === 'uploading') return isSaving(file) ? 'saving' : 'uploading'
  if (file.status === 'paused' && ours) return 'uploading'
  if (file.status === 'pending') return 'queued'
  return file.status
}

const percent = (part, whole) => (whole > 0 ? Math.min(100, (part / whole) * 100) : 0)

// What the station has was sent, if not in this visit.
function sentOf(entry, stored) {
  if (entry === undefined) return null
  return entry.phase === 'sent' ? 100 : Math.max(stored, percent(entry.sent ?? 0, entry.size))
}

/** Whether what was stored is what this browser read: null when nobody can say. */
function checkedOf({ status, checksum }, entry) {
  if (status !== 'completed' || !entry || !checksum) return null
  if (entry.digest?.algorithm === checksum.algorithm)
    return entry.digest.value === checksum.value ? 'same' : 'different'
  return entry.checking ? 'checking' : null
}

// What the buttons of a row can do. What another device sends can be paused from here, too, by way of the station.
function powers(phase, final, entry) {
  const wanted = entry?.phase === 'wanted'
  const ours = entry !== undefined && !wanted
  return {
    canCancel: !final,
    canRetry: ours && !final && (phase === 'waiting' || (phase === 'failed' && canTry(entry))),
    canPause: phase === 'uploading' || (ours && !final && PAUSABLE.includes(phase)),
    canResume: !final && phase === 'paused' && !wanted,
    elsewhere: phase === 'failed' && !final && entry === undefined,
  }
}

// Tried again, but not through yet: what it failed with still holds.
const UNDER_WAY_SHOWN = ['queued', 'uploading']
const ofNetwork = (entry) => (entry?.problem && kindOf(entry.problem.code) === 'network' ? entry.problem : null)

const canTry = ({ problem }) => retrying(problem?.code) !== 'never'

function problemOf(phase, final, file, entry) {
  if (UNDER_WAY_SHOWN.includes(phase)) return ofNetwork(entry)
  if (phase !== 'failed' && phase !== 'waiting') return null
  return (final ? null : entry?.problem) ?? file.error ?? entry?.problem ?? null
}

function rowOf(file, entry) {
  const phase = phaseOf(file, entry)
  const final = isFinal(file)
  // The last speed that was told is none once nothing gets through.
  const moves = phase === 'uploading' && !entry?.still
  return {
    // An added file has a number only later; its row is the same.
    key: entry?.key ?? file.id,
    fileId: file.id,
    entry: entry?.key ?? null,
    name: file.originalName,
    size: file.totalBytes ?? entry?.size ?? null,
    phase,
    progress: phase === 'completed' ? 100 : file.progress,
    sent: phase === 'completed' && entry !== undefined ? 100 : sentOf(entry, file.progress),
    uploaded: file.uploadedBytes,
    speed: moves ? file.uploadSpeed : null,
    remaining: moves ? (file.estimatedTimeRemaining ?? null) : null,
    problem: problemOf(phase, final, file, entry),
    retryAt: phase === 'waiting' ? entry.retryAt : null,
    reason: file.reason ?? null,
    stored: storedName(file.uploadPath),
    duration: file.duration ?? null,
    finalSpeed: file.finalSpeed ?? null,
    checked: checkedOf(file, entry),
    wanted: entry?.phase === 'wanted' && phase === 'paused',
    ...powers(phase, final, entry),
  }
}

const AHEAD = { sent: 'uploading', sending: 'uploading', wanted: 'paused' }

// Only a file that was added to an open session waits here without a number.
function rowOfEntry(entry) {
  const phase = AHEAD[entry.phase] ?? entry.phase
  const over = ['sent', 'cancelled'].includes(entry.phase)
  return {
    key: entry.key,
    fileId: null,
    entry: entry.key,
    name: entry.name,
    size: entry.size,
    phase,
    progress: 0,
    sent: sentOf(entry, 0),
    uploaded: 0,
    speed: null,
    remaining: null,
    problem: entry.problem,
    retryAt: entry.retryAt,
    reason: null,
    stored: '',
    duration: null,
    finalSpeed: null,
    checked: null,
    wanted: entry.phase === 'wanted',
    ...powers(phase, over, entry),
  }
}

/**
 * Makes a function (state, entries, watched) -> rows: in the station's order, then what the station has not heard of
 * yet; watched: another page of this browser sends the session.
 * A row of which nothing changed is the same object as before, so that drawing it again can be skipped.
 */
export function rowMaker() {
  const made = new WeakMap()
  const once = (what, entry, make) => {
    const old = made.get(what)
    if (old !== undefined && old.entry === entry) return old.row
    const row = make()
    made.set(what, { entry, row })
    return row
  }
  return (state, all, watched = false) => {
    // Another page has what would be wanted here.
    const entries = watched ? all.filter(({ phase }) => phase !== 'wanted') : all
    const mine = new Map(entries.filter(({ fileId }) => fileId !== null).map((entry) => [entry.fileId, entry]))
    const told = new Set(state.files.map(({ id }) => id))
    return [
      ...state.files.map((file) => once(file, mine.get(file.id), () => rowOf(file, mine.get(file.id)))),
      ...entries
        .filter(({ fileId }) => fileId === null || !told.has(fileId))
        .map((entry) => once(entry, undefined, () => rowOfEntry(entry))),
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
