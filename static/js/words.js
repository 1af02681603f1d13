// The words of one language, ready for components: sentences, errors by code, numbers. Pure.

import { ERRORS } from './errors.js'
import { bytes, fill, percent, seconds, speed } from './format.js'
import { key, STRINGS } from './strings.js'

const REASONS = {
  expired: 'reasonExpired',
  'session-timeout': 'reasonTimeout',
  'retry-limit': 'reasonRetries',
  'session-completed': 'reasonClosed',
}

// What goes wrong on this side only, so that the station has no word for it.
const LOCAL = { FILE_UNREADABLE: ['unreadable', 'unreadableAdvice'] }

/** @param {string} language as in <html lang> */
export function wordsFor(language) {
  const strings = STRINGS[key(language)]
  const say = (name, values = {}) => fill(strings[name], values)
  const joint = key(language) === 'zh' ? '\uff0c' : ' '
  const row = (problem) =>
    ERRORS[problem?.code]?.[key(language)] ??
    LOCAL[problem?.code]?.map((name) => say(name)) ?? [problem?.message ?? say('failed'), problem?.solution ?? '']
  return {
    language,
    say,
    bytes,
    percent,
    speed,
    seconds: (span) => seconds(span, language),
    category: (name) => (['personal', 'scenic'].includes(name) ? strings[name] : name),
    /** "Cancelled", and why, if it was not simply somebody's wish. */
    cancelled: (why) => [say('cancelled'), ...(REASONS[why] ? [say(REASONS[why])] : [])].join(' · '),
    /** @returns {{message: string, advice: string, details: string}} what happened, and what to do about it */
    error(problem, contact = '') {
      const [message, advice] = row(problem)
      const details = problem?.details ? say('details', { details: problem.details }) : ''
      return {
        message: message + (advice && joint),
        advice: fill(advice, { contact: contact || say('someone') }),
        details,
      }
    },
  }
}

/** Whether trying again can help. */
export const retryable = (code) => ERRORS[code]?.retry ?? true
