// The station's HTTP calls that a kiosk makes. Keeps nothing. Every call ends: a network that died without a word would
// let one hang for minutes, and with it a screen that nobody touches.

import * as api from './api.js'

const WITHIN = 10000

/** The same browser, in which a request that takes too long fails. */
function impatient(env) {
  const fetch = async (path, options) => {
    const abort = new AbortController()
    const timer = env.setTimeout(() => abort.abort(), WITHIN)
    try {
      const response = await env.fetch(path, { ...options, signal: abort.signal })
      // The body may hang as well as the head.
      const text = await response.text()
      return { ok: response.ok, status: response.status, headers: response.headers, json: async () => JSON.parse(text) }
    } finally {
      env.clearTimeout(timer)
    }
  }
  return { ...env, fetch }
}

const address = (sessionId) => `/api/upload/handover/${encodeURIComponent(sessionId)}`

/** The station's limits and choices. */
export const fetchConfig = (env) => api.fetchConfig(impatient(env))

/**
 * Opens the session of a new visit.
 * @param {object} config what `fetchConfig` answered
 * @param {string} category what the kiosk was set up for; if the station has no such category any more, its first one
 */
export async function openVisit(env, config, category) {
  // Asking would only be refused, and be written down as an error by the browser.
  if (config.pinRequired) throw new api.CallFailed('PIN_REQUIRED')
  const wish = config.categories.includes(category) ? category : config.categories[0]
  return api.post(impatient(env), '/api/upload/session', { category: wish, autoComplete: false })
}

/** @param {string | null} code the one that is on the screen */
export const handOver = (env, sessionId, code) =>
  api.post(impatient(env), address(sessionId), code === null ? {} : { code })

export const complete = (env, sessionId) => api.complete(impatient(env), sessionId)

/** The picture of the session's link; another link is another picture. */
export const pictureOf = (sessionId, url) => `${address(sessionId)}/qr.svg?of=${encodeURIComponent(url)}`
