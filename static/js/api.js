// The station's HTTP calls that the page makes, but for the files themselves. Keeps nothing.

import { retryAfter } from './backoff.js'
import { Timers } from './timers.js'

const JSON_TYPE = { 'Content-Type': 'application/json' }
// An order of which nothing is heard for so long is as good as lost. To end something the station waits for its disk.
const ORDER_WITHIN = 3000
const CANCEL_WITHIN = 5000
const COMPLETE_WITHIN = 10000
// Many files take their time to be named; but no browser ends a request that the network swallowed.
const OPEN_WITHIN = 30000

/** What a request failed with, in the shape of the station's own errors; `retryAfter` in milliseconds, if it said so. */
export class CallFailed extends Error {
  constructor(code, answer = {}, wait = null) {
    super(code)
    const { message, details, solution, requestId } = answer
    this.problem = { code, message, details, solution, requestId, retryAfter: wait }
  }
}

// What a proxy in between answers has no code of ours.
const BY_STATUS = { 429: 'RATE_LIMIT_EXCEEDED', 503: 'TOO_MANY_CONNECTIONS' }

async function call(env, path, options = {}) {
  let response
  let answer
  try {
    response = await env.fetch(path, { cache: 'no-store', ...options })
    answer = response.status === 204 ? null : await response.json()
  } catch {
    if (!response || response.ok) throw new CallFailed('NETWORK_ERROR')
    throw new CallFailed(BY_STATUS[response.status] ?? 'SERVER_ERROR', {}, waitOf(env, response))
  }
  if (response.ok) return answer
  throw new CallFailed(answer.error ?? 'SERVER_ERROR', answer, waitOf(env, response))
}

const waitOf = (env, { headers }) => retryAfter(headers?.get('Retry-After'), env.now?.() ?? 0)

export const post = (env, path, body, more) =>
  call(env, path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body), ...more })
const described = (files) => files.map(({ name, size, type }) => ({ name, size, type: type ?? '' }))
const session = (name, sessionId) => `/api/upload/${name}/${encodeURIComponent(sessionId)}`

// The page has it on its way already (rel=preload), and only a plain request takes that up.
export const fetchConfig = (env) => call(env, '/api/upload/config', { cache: 'default' })

export const fetchProgress = (env, sessionId) => call(env, session('progress', sessionId))

export const validate = (env, files) => post(env, '/api/upload/validate', { files: described(files) })

export const givePin = (env, pin) => post(env, '/api/upload/pin', { pin })

export const openSession = (env, category, files) =>
  within(env, OPEN_WITHIN, (signal) =>
    post(env, '/api/upload/session', { category, files: described(files) }, { signal }),
  )

async function within(env, span, ask) {
  const abort = new AbortController()
  const timers = new Timers(env)
  timers.after('abort', span, () => abort.abort())
  try {
    return await ask(abort.signal)
  } finally {
    timers.clearAll()
  }
}

const order = (env, span, name, sessionId, body) =>
  within(env, span, (signal) => post(env, session(name, sessionId), body, { signal }))

export const pause = (env, sessionId, fileId) => order(env, ORDER_WITHIN, 'pause', sessionId, { fileId })
export const resume = (env, sessionId, fileId) => order(env, ORDER_WITHIN, 'resume', sessionId, { fileId })

/**
 * Told once more where no answer came: whoever cancels counts on it, and to hear it twice is nothing to the station.
 * @param {string | null} fileId null: everything that is not finished
 */
export async function cancel(env, sessionId, fileId = null) {
  const tell = () =>
    order(env, CANCEL_WITHIN, 'cancel', sessionId, { ...(fileId !== null && { fileId }), reason: 'user' })
  try {
    return await tell()
  } catch (fault) {
    if (fault.problem?.code !== 'NETWORK_ERROR') throw fault
    return tell()
  }
}

/** No more files will come. */
export const complete = (env, sessionId) => order(env, COMPLETE_WITHIN, 'complete', sessionId, {})
