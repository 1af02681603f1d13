// What a watcher knows of a session, as a pure fold: state + message -> state. Knows nothing of transports or of the page.
//
// A message is what the station pushes: {event, data, seq}. Lifecycle messages are numbered 1, 2, 3 ... per session;
// all others carry the number of the last lifecycle message before them and never move the position.

import { advanced, detail, keepDetail, newFile, ON_FILE, STATUS_OF } from './files.js'

export const LIFECYCLE = Object.freeze([
  'upload-started',
  'upload-completed',
  'upload-failed',
  'upload-cancelled',
  'session-completed',
  'session-error',
])
export const SETTLED = Object.freeze(['completed', 'failed', 'cancelled'])

/** @returns {{event: string, data: object, seq?: number} | null} null for what is no message */
export function messageOf(text) {
  if (typeof text !== 'string') return null
  try {
    const message = JSON.parse(text)
    const whole = typeof message?.event === 'string' && typeof message.data === 'object' && message.data !== null
    return whole ? message : null
  } catch {
    return null
  }
}

/** The state before anything is known. `files` is in the order in which the station lists them. */
export function initialState() {
  return {
    sessionId: null,
    category: null,
    epoch: null,
    seq: 0,
    // The snapshot already contains the lifecycle messages up to this number; replayed ones only add detail.
    contained: 0,
    overallStatus: 'pending',
    totalProgress: 0,
    completedFiles: 0,
    failedFiles: 0,
    cancelledFiles: 0,
    estimatedTimeRemaining: null,
    files: [],
    summary: null,
    uploadPaths: [],
    fault: null,
    // True once the session's last message came: nothing follows it.
    ended: false,
  }
}

/**
 * Where a message stands against a position.
 * @returns {'join' | 'passing' | 'repeat' | 'gap' | 'next'} passing: not numbered, moves nothing
 */
export function standing(seq, message) {
  if (message.event === 'session-joined') return 'join'
  if (!LIFECYCLE.includes(message.event)) return 'passing'
  if (message.seq <= seq) return 'repeat'
  return message.seq === seq + 1 ? 'next' : 'gap'
}

function withFile(state, id, change) {
  const at = state.files.findIndex((file) => file.id === id)
  const old = at < 0 ? newFile(id) : state.files[at]
  const file = change(old)
  if (file === old) return state
  const files = at < 0 ? [...state.files, file] : state.files.map((other, index) => (index === at ? file : other))
  return counted({ ...state, files })
}

function counted(state) {
  const of = (status) => state.files.filter((file) => file.status === status).length
  return { ...state, completedFiles: of('completed'), failedFiles: of('failed'), cancelledFiles: of('cancelled') }
}

// A replayed event that the snapshot contains already: it may add detail, but it never turns back what is shown.
function history(state, { event, data }) {
  if (!data.fileId) return ON_SESSION[event]?.(state, data) ?? state
  const file = state.files.find((each) => each.id === data.fileId)
  const same =
    file && file.status === STATUS_OF[event] && (event !== 'upload-failed' || file.retryCount === data.retryCount)
  return same ? withFile(state, file.id, (old) => ({ ...old, ...detail(event, data) })) : state
}

const ON_SESSION = {
  'session-completed': (state, data) => ({ ...state, summary: data.summary, uploadPaths: data.uploadPaths ?? [] }),
  'session-error': (state, data) => ({ ...state, fault: { ...data.error, action: data.action } }),
}

function lifecycle(state, message) {
  if (standing(state.seq, message) === 'repeat') return state
  const { event, data, seq } = message
  const moved = { ...state, seq }
  if (seq <= state.contained) return history(moved, message)
  if (data.fileId && ON_FILE[event]) return withFile(moved, data.fileId, (file) => ON_FILE[event](file, data))
  return ON_SESSION[event]?.(moved, data) ?? moved
}

function progress(state, { data, seq }) {
  // From a carrier that lags behind the one that took over: it may even tell of an attempt that is over.
  if (seq < state.seq) return state
  const ended = SETTLED.includes(data.overallStatus) && state.summary !== null
  const told = { ...state, ended: state.ended || ended }
  for (const name of ['overallStatus', 'totalProgress', 'estimatedTimeRemaining']) {
    if (name in data) told[name] = data[name]
  }
  if (!data.fileId || !state.files.some((file) => file.id === data.fileId)) return told
  return withFile(told, data.fileId, (file) => advanced(file, data))
}

function joined(state, { data, seq }) {
  const sameStory = state.sessionId === data.sessionId && state.epoch === data.epoch && !data.resync
  const contained = data.currentSeq ?? data.seq ?? seq ?? 0
  // Asked for before a message that came meanwhile over another carrier: it knows less than we do.
  if (sameStory && contained < state.seq) return state
  const known = new Map(sameStory ? state.files.map((file) => [file.id, file]) : [])
  const from = data.resync ? (data.seq ?? seq) : (seq ?? data.seq)
  return {
    ...(sameStory ? state : initialState()),
    sessionId: data.sessionId,
    category: data.category,
    epoch: data.epoch,
    seq: sameStory ? Math.max(state.seq, from) : from,
    contained,
    overallStatus: data.overallStatus,
    totalProgress: data.totalProgress,
    completedFiles: data.completedFiles,
    failedFiles: data.failedFiles,
    cancelledFiles: data.cancelledFiles,
    estimatedTimeRemaining: data.estimatedTimeRemaining ?? null,
    files: data.files.map((file) => keepDetail(known.get(file.id), file, contained === state.seq)),
    summary: data.summary ?? null,
  }
}

/** Folds one message into the state. Never changes its arguments; a message that says nothing new returns the state itself. */
export function reduce(state, message) {
  if (message.event === 'session-joined') return joined(state, message)
  if (message.event === 'upload-progress') return progress(state, message)
  return LIFECYCLE.includes(message.event) ? lifecycle(state, message) : state
}
