// How the page's requests and messages are written and read. Knows addresses and shapes; keeps nothing.

import { retryAfter } from './backoff.js'
import { Timers } from './timers.js'

export function query(values) {
  const known = Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`
}

/** @returns {{event: string, data: object, seq?: number} | null} null for what is no message */
export function read(text) {
  if (typeof text !== 'string') return null
  try {
    const message = JSON.parse(text)
    const whole = typeof message?.event === 'string' && typeof message.data === 'object' && message.data !== null
    return whole ? message : null
  } catch {
    return null
  }
}

/**
 * One GET of the snapshot, with what happened since when that is asked for.
 * @param {number} within milliseconds, after which it counts as failed
 * @throws {{gone: boolean, retryAfter: number | null}}
 */
export async function snapshot(env, { sessionId, ...rest }, within) {
  const abort = new AbortController()
  const timers = new Timers(env)
  timers.after('abort', within, () => abort.abort())
  try {
    const url = `/api/upload/progress/${encodeURIComponent(sessionId)}${query(rest)}`
    const response = await env.fetch(url, { signal: abort.signal, cache: 'no-store' })
    if (response.ok) return await response.json()
    throw { gone: response.status === 404, retryAfter: retryAfter(response.headers.get('Retry-After'), env.now()) }
  } finally {
    timers.clearAll()
  }
}
