// How long to wait before trying again. Knows nothing of what is tried; the random number and the time are passed in.

/**
 * Exponential with full jitter: many pages that lost the same station do not come back in step.
 * A wait that the station asked for (Retry-After) is a lower bound, with the jitter on top of it.
 * @param {number} attempt how many tries have failed before this one, from 0
 * @param {{base?: number, cap?: number, random: () => number, retryAfter?: number | null}} options
 *   base, cap and retryAfter in milliseconds
 * @returns {number} milliseconds
 */
export function backoff(attempt, { base = 1000, cap = 30000, random, retryAfter = null }) {
  // 2 ** 30 seconds is past any cap, and stays a finite number for any attempt.
  const ceiling = Math.min(cap, base * 2 ** Math.min(Math.max(attempt, 0), 30))
  return retryAfter === null ? Math.floor(random() * ceiling) : retryAfter + Math.floor(random() * base)
}

/**
 * Reads a Retry-After field (RFC 9110, 10.2.3): seconds or a date.
 * @param {string | null | undefined} field
 * @param {number} now milliseconds since 1970, for the date form
 * @returns {number | null} milliseconds from now, null when there is nothing to honour
 */
export function retryAfter(field, now) {
  const text = (field ?? '').trim()
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000
  // Date.parse takes far more than HTTP dates, "1.5" among it; an HTTP date starts with the day's name.
  if (!/^[A-Z][a-z]{2},? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
