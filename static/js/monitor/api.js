// The station's HTTP calls that the operator's page makes. Keeps nothing. Every call ends.

import { CallFailed, post } from '../api.js'
import { retryAfter } from '../backoff.js'
import { Timers } from '../timers.js'

const WITHIN = 10000

const problemOf = async (response) => {
  try {
    return await response.json()
  } catch {
    return {}
  }
}

async function call(env, path, options = {}) {
  const abort = new AbortController()
  const timers = new Timers(env)
  timers.after('abort', WITHIN, () => abort.abort())
  try {
    const response = await env.fetch(path, { cache: 'no-store', signal: abort.signal, ...options })
    if (response.status === 204) return null
    if (response.ok) return await response.json()
    const answer = await problemOf(response)
    const code = answer.error ?? (response.status === 401 ? 'UNAUTHORIZED' : 'SERVER_ERROR')
    throw new CallFailed(code, answer, retryAfter(response.headers?.get('Retry-After'), env.now()))
  } catch (fault) {
    throw fault instanceof CallFailed ? fault : new CallFailed('NETWORK_ERROR')
  } finally {
    timers.clearAll()
  }
}

/** Values that are empty are not asked for. */
export function query(values) {
  const known = Object.entries(values).filter(([, value]) => ![null, undefined, ''].includes(value))
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`
}

const monitor = (name, ...parts) => ['/api/monitor', name, ...parts.map(encodeURIComponent)].join('/')

export const fetchOverview = (env) => call(env, monitor('overview'))
export const fetchSeries = (env, span) => call(env, monitor('series') + query({ span }))
export const fetchDistribution = (env) => call(env, monitor('distribution'))
export const fetchSessions = (env, asked) => call(env, monitor('sessions') + query(asked))

// A log of thousands of events comes in pieces.
const MOST_PIECES = 100

/** A session with its whole log. */
export async function fetchSession(env, sessionId) {
  const address = monitor('sessions', sessionId)
  const told = await call(env, address)
  let piece = told
  for (let pieces = 1; piece.more && piece.events.length && pieces < MOST_PIECES; pieces += 1) {
    piece = await call(env, address + query({ after: piece.events.at(-1).seq }))
    told.events.push(...piece.events)
  }
  return told
}

export const fetchFiles = (env, asked) => call(env, monitor('files') + query(asked))
export const fetchLetters = (env, asked) => call(env, monitor('letters') + query(asked))
/** Where a browser finds the file. */
export const fileAddress = (fileId) => monitor('files', fileId)

export const deleteFile = (env, fileId) =>
  call(env, `/api/upload/file/${encodeURIComponent(fileId)}`, { method: 'DELETE' })
/** Without a number: all of them. */
export const sendAgain = (env, ...number) => call(env, monitor('letters', ...number), { method: 'POST' })
export const forgetLetters = (env, ...number) => call(env, monitor('letters', ...number), { method: 'DELETE' })
export const cancelSession = (env, sessionId) =>
  post(env, `/api/upload/cancel/${encodeURIComponent(sessionId)}`, { reason: 'operator' })
