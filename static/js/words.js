// The words of one language, ready for components: sentences, errors by code, numbers. Pure.

import { ERRORS } from './errors.js'
import { bytes, fill, percent, roughly, seconds, speed } from './format.js'
import { kindOf } from './kinds.js'

const REASONS = {
  expired: 'reasonExpired',
  'session-timeout': 'reasonTimeout',
  'retry-limit': 'reasonRetries',
  'session-completed': 'reasonClosed',
}

// What goes wrong on this side only, so that the station has no word for it.
const LOCAL = {
  FILE_UNREADABLE: ['unreadable', 'unreadableAdvice'],
  STALLED: ['stalled', 'stalledAdvice'],
  OFFLINE: ['noNetworkProblem', 'noNetworkAdvice'],
  ALREADY_HERE: ['alreadyHere', 'alreadyHereAdvice'],
}

const LEFT = {
  soon: 'leftSoon',
  seconds: 'leftSeconds',
  minutes: 'leftMinutes',
  hours: 'leftHours',
  hoursMinutes: 'leftHoursMinutes',
  days: 'leftDays',
}

/** @param {string} language "zh-CN", "en", as in <html lang> */
export const key = (language) => (String(language).toLowerCase().startsWith('zh') ? 'zh' : 'en')

/** Whether trying again can help. */
export const retryable = (code) => ERRORS[code]?.retry ?? true

/**
 * @param {string} language as in <html lang>
 * @param {object} strings the sentences of that language: zh.js or en.js
 */
export function wordsFor(language, strings) {
  const say = (name, values = {}) => fill(strings[name], values)
  return {
    language,
    say,
    bytes,
    percent,
    speed,
    seconds: (span) => seconds(span, language),
    files: (count) => say(count === 1 ? 'aFile' : 'someFiles', { count }),
    /** "about 3 min left" */
    left: (span) => leftOf(span, say),
    category: (name) => (['personal', 'scenic'].includes(name) ? strings[name] : name),
    /** "Cancelled", and why, if it was not simply somebody's wish. */
    cancelled: (why) => [say('cancelled'), ...(REASONS[why] ? [say(REASONS[why])] : [])].join(' · '),
    error: (problem, contact) => errorOf(problem, contact, language, say),
  }
}

function leftOf(span, say) {
  const left = roughly(span)
  return left === null ? '' : say(LEFT[left.unit], left)
}

const rowOf = (problem, language, say) =>
  ERRORS[problem?.code]?.[key(language)] ??
  LOCAL[problem?.code]?.map((name) => say(name)) ?? [problem?.message ?? say('failed'), problem?.solution ?? '']

// The station has no fault in these: nobody can help who is told a number.
const NO_FAULT = ['PIN_REQUIRED', 'PIN_WRONG', 'CODE_UNKNOWN', 'SESSION_NOT_FOUND', 'SESSION_CLOSED']
const asksForHelp = ({ code, requestId }, kind) => kind === 'system' && requestId && !NO_FAULT.includes(code)

// A list of all formats would bury what to do.
const LONGEST = 120
const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST).replace(/[,\s]+\S*$/, '')} …` : text)

// The station's details are in English, for whoever mends things. Words of another origin, a check's say, may be Chinese.
const tells = (details, kind, language) =>
  details && (key(language) === 'en' || kind === 'system' || /[^\u0020-\u007e]/.test(details))

function detailsOf({ details, limit }, kind, language, say) {
  if (limit) return say('atMost', { size: bytes(limit) })
  return tells(details, kind, language) ? say('details', { details: shortened(String(details)) }) : ''
}

/**
 * What happened, what to do about it, and, where somebody else has to do it, what to tell them.
 * @returns {{kind: string, message: string, advice: string, details: string, help: string}}
 */
function errorOf(problem, contact, language, say) {
  const [message, advice] = rowOf(problem, language, say)
  const joint = key(language) === 'zh' ? '\uff0c' : ' '
  const kind = kindOf(problem?.code)
  const who = contact || say('someone')
  return {
    kind,
    message: message + (advice && joint),
    advice: fill(advice, { contact: who }),
    details: detailsOf(problem ?? {}, kind, language, say),
    help: asksForHelp(problem ?? {}, kind) ? say('askWho', { contact: who, id: problem.requestId }) : '',
  }
}
