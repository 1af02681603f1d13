// The carrier of last resort: asks for the snapshot again and again, and tells what changed in the words of the pushed
// messages. Same shape as the carriers in carriers.js, of which it knows only how one asks.

import { snapshot } from './carriers.js'
import { SETTLED } from './events.js'
import { Timers } from './timers.js'

const PATIENCE = 10
// Long polls end with news. Progress is not always counted as news, so while bytes flow the wait is short.
const WAIT_BUSY = 2
const WAIT_IDLE = 25
const GAP = 250

/** A snapshot as the message with which a join would be answered. */
function joinedFrom({ events, ...data }, since) {
  return { event: 'session-joined', seq: since ?? data.seq, data: { ...data, currentSeq: data.seq } }
}

function fileWords(file) {
  if (file === null) return { fileId: null }
  const { id, originalName, progress, status, uploadSpeed, uploadedBytes, totalBytes } = file
  return {
    fileId: id,
    progress,
    speed: uploadSpeed,
    uploadedBytes,
    totalBytes,
    currentFile: { id, originalName, progress, status, uploadSpeed, estimatedTimeRemaining: null },
  }
}

function progressFrom(told, file) {
  const { sessionId, timestamp, estimatedTimeRemaining, overallStatus, totalProgress, completedFiles, failedFiles } =
    told
  return {
    event: 'upload-progress',
    seq: told.seq,
    data: {
      sessionId,
      timestamp,
      estimatedTimeRemaining,
      overallStatus,
      totalProgress,
      completedFiles,
      failedFiles,
      message: '',
      ...fileWords(file),
    },
  }
}

/**
 * What an answer says, in order: the join (first answer, or after a resync), what was missed, progress of every file
 * that moved, and the last message of a settled session.
 * @param {object | null} before the answer before this one
 */
export function* messagesFrom(told, before, since) {
  if (before === null || told.resync) yield joinedFrom(told, told.resync ? null : since)
  yield* told.events ?? []
  const old = new Map((before?.files ?? []).map((file) => [file.id, file]))
  for (const file of told.files) {
    const was = old.get(file.id)
    const moved = was?.uploadedBytes !== file.uploadedBytes || was?.status !== file.status
    if (moved && !SETTLED.includes(file.status)) yield progressFrom(told, file)
  }
  if (told.summary) yield progressFrom(told, null)
}

export function polling(env, at, on) {
  const timers = new Timers(env)
  let spent = false
  let before = null
  const close = () => {
    spent = true
    timers.clearAll()
  }
  const lose = (why) => {
    if (spent) return
    close()
    on.lost({ gone: why.gone === true, retryAfter: why.retryAfter ?? null })
  }
  const waiting = (since) => {
    if (before === null || since === null) return null
    return before.files.some((file) => file.status === 'uploading') ? WAIT_BUSY : WAIT_IDLE
  }
  const tell = (told, since) => {
    if (spent) return
    if (before === null) on.open()
    for (const message of messagesFrom(told, before, since)) {
      if (!spent) on.message(message)
    }
    before = told
    if (!spent) timers.after('ask', GAP, ask)
  }
  const ask = () => {
    const { sessionId, seq, epoch } = at()
    const since = epoch === null ? null : seq
    const wait = waiting(since)
    snapshot(env, { sessionId, since, epoch, wait }, ((wait ?? 0) + PATIENCE) * 1000).then(
      (told) => tell(told, since),
      lose,
    )
  }
  ask()
  return { close, check() {} }
}
