// One session that is looked at closely: its snapshot, and its whole log, read once and followed from there. Pure.

import { LIFECYCLE, initialState, reduce, SETTLED } from '../events.js'
import { atOf } from './log.js'

/** @param {object} told the answer of /api/monitor/sessions/<id> */
export function opened(told) {
  const { session, expectedFiles, openedAt, endedAt, events, deeds } = told
  const state = reduce(initialState(), { event: 'session-joined', seq: session.seq, data: session })
  const times = { openedAt, endedAt: endedAt ?? null }
  return { state, expected: expectedFiles ?? 0, ...times, events, deeds: deeds ?? [], gap: false }
}

/** Whether anything can still happen to it. */
export const isRunning = ({ state, endedAt }) => endedAt === null && !SETTLED.includes(state.overallStatus)

/** How many files it has, with those that are still expected. */
export const filesIn = (watched) =>
  isRunning(watched) ? Math.max(watched.expected, watched.state.files.length) : watched.state.files.length

const lastOf = (events) => events.at(-1)?.seq ?? 0

/**
 * What a message of the session's makes of it. `gap`: something is missing, it has to be read again.
 */
export function follow(watched, message) {
  const { event, data, seq } = message
  if (event === 'file-deleted') return { ...watched, gap: true }
  if (event === 'session-joined') {
    const state = reduce(watched.state, message)
    return { ...watched, state, gap: watched.gap || (data.currentSeq ?? data.seq) > lastOf(watched.events) }
  }
  const state = reduce(watched.state, message)
  if (!LIFECYCLE.includes(event) || seq <= lastOf(watched.events)) return { ...watched, state }
  const gap = watched.gap || seq > lastOf(watched.events) + 1
  const endedAt = event === 'session-completed' ? (data.endTime ?? null) : watched.endedAt
  return { ...watched, state, endedAt, gap, events: [...watched.events, { seq, event, at: atOf(data), data }] }
}

/** Stored files that are there no more, by their ids: the word for who deleted each. */
export const goneOf = (deeds) =>
  new Map(
    deeds
      .filter(({ name }) => name === 'file-deleted')
      .map(({ data }) => [data.fileId, data.by === 'uploader' ? 'deletedByUploader' : 'deletedByOperator']),
  )

/** An event tells its error, a snapshot may not: the newest word on each failed file. */
export function whyOf(events) {
  const why = new Map()
  for (const { event, data } of events) {
    if (event === 'upload-failed') why.set(data.fileId, data.error)
    else if (event === 'upload-started') why.delete(data.fileId)
  }
  return why
}
