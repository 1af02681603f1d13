// The page's words with those of the operator's page among them, and its numbers: shares, waits, moments. Pure.

import { bytes, fill } from '../format.js'
import { key } from '../words.js'
import { MONITOR as EN } from './en.js'
import { inWords } from './sayings.js'
import { MONITOR as ZH } from './zh.js'

const OWN = { en: EN, zh: ZH }
const HOUR = 3600
const DAY = 24 * HOUR

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value)

/** Three figures at most, and no more of them than mean something. */
export const figures = (value) => {
  const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** Decimal, as the seed's threshold of 1 MB/s is, and the size on a disk's box: one kind of megabyte on the page. */
const decimal = (count) => bytes(count, 1000)
const rate = (perSecond) => (isNumber(perSecond) ? `${decimal(perSecond)}/s` : '')

const short = (span) => (span < 1 ? `${figures(span * 1000)}\u00a0ms` : `${figures(span)}\u00a0s`)

function lasting(span, say) {
  if (span < HOUR) return say('lastsMinutes')
  if (span < 2 * DAY) return say('lastsHours', { count: Math.round(span / HOUR) })
  if (span < 60 * DAY) return say('lastsDays', { count: Math.round(span / DAY) })
  return span < 365 * DAY ? say('lastsMonths', { count: Math.round(span / (30 * DAY)) }) : say('lastsYears')
}

function measure(name, unit, value, say) {
  if (!isNumber(value)) return ''
  if (name === 'disk') return lasting(value, say)
  if (unit === 's') return short(value)
  if (unit === 'B/s') return rate(value)
  return unit === '%' ? `${figures(value)}%` : say('perHour', { count: figures(value) })
}

/** @param {string | number | null} at as the station writes moments, or seconds since 1970 */
export function dateOf(at) {
  const date = new Date(typeof at === 'number' ? at * 1000 : String(at ?? ''))
  return Number.isNaN(date.getTime()) ? null : date
}

function moment(at, now, language, { seconds = false, dated = false } = {}) {
  const date = dateOf(at)
  if (date === null) return ''
  const clock = { hour: '2-digit', minute: '2-digit', ...(seconds && { second: '2-digit' }), hourCycle: 'h23' }
  const plain = !dated && date.toDateString() === new Date(now).toDateString()
  const day = { month: 'short', day: 'numeric' }
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' }
  return new Intl.DateTimeFormat(language, plain ? clock : { ...day, ...year, ...clock }).format(date)
}

/**
 * @param {object} words those of the page (words.js)
 * @param {() => number} clock milliseconds since 1970
 */
export function withMonitor(words, clock = Date.now) {
  const own = OWN[key(words.language)]
  const say = (name, values = {}) => (name in own ? fill(own[name], values) : words.say(name, values))
  const named = (name) => (name in own ? say(name) : String(name))
  // An error in one line, without whom to ask: that is who reads it.
  const why = (problem) => {
    const given = inWords(String(problem?.details ?? ''), say)
    const { message, details } = words.error({ ...problem, details: given })
    const plain = message.trim().replace(/\uff0c$/, '')
    // The station's details and a check's own say are what an operator looks for.
    const more = details || (given && words.say('details', { details: given }))
    return more ? `${plain} (${more})` : plain
  }
  return {
    ...words,
    say,
    bytes: decimal,
    speed: rate,
    /** An indicator's value in its unit, "" for what is not known. */
    measure: (name, unit, value) => measure(name, unit, value, say),
    /** Where good ends: exact, unlike a time to come. */
    limit: (name, unit, value) =>
      name === 'disk' && isNumber(value)
        ? say('days', { count: figures(value / DAY) })
        : measure(name, unit, value, say),
    short: (span) => (isNumber(span) ? short(span) : ''),
    count: (value) => (isNumber(value) ? new Intl.NumberFormat(words.language).format(value) : ''),
    /** "14:05", with its day if that is not today. */
    moment: (at) => moment(at, clock(), words.language),
    instant: (at) => moment(at, clock(), words.language, { seconds: true }),
    dated: (at) => moment(at, clock(), words.language, { dated: true }),
    session: (id) => say('sessionTitle', { id: id.slice(0, 8) }),
    status: named,
    /** An event, or a hook. */
    named,
    why,
    /** Why a message could not be delivered. */
    reason: (text) => inWords(text, say),
    /** The same of an order (useOrder): what did not work, and why. */
    failed: (problem) =>
      problem.what ? say(problem.what, { ...problem.values, why: why(problem) }) : why(problem),
  }
}
