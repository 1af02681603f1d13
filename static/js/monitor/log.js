// A session's events in sentences that people read. Pure.

const WHY = { user: 'whyUser', operator: 'whyOperator' }
const KNOWN_REASONS = ['expired', 'session-timeout', 'retry-limit', 'session-completed']

function reasonOf(reason, words) {
  if (reason in WHY) return words.say(WHY[reason])
  if (!KNOWN_REASONS.includes(reason)) return words.say('whyOther', { reason: String(reason ?? '') })
  return words.cancelled(reason).split(' · ').at(-1)
}

function started(data, name, words) {
  if (data.resumedFrom > 0) return words.say('logResumed', { name, size: words.bytes(data.resumedFrom) })
  if (data.attempt > 1) return words.say('logAgain', { name, count: data.attempt })
  return words.say('logStarted', { name, size: words.bytes(data.fileSize) || '?' })
}

function settled({ summary = {} }, words) {
  return words.say('logSettled', {
    done: summary.completedFiles,
    files: words.files(summary.totalFiles),
    size: words.bytes(summary.uploadedSize),
    time: words.seconds(summary.totalTime) || '0',
  })
}

const SENTENCES = {
  'upload-started': started,
  'upload-completed': (data, name, words) =>
    words.say('logCompleted', {
      name,
      size: words.bytes(data.fileSize),
      time: words.seconds(data.duration),
      speed: words.speed(data.finalSpeed),
    }),
  'upload-failed': (data, name, words) =>
    words.say(data.canRetry ? 'logFailedRetry' : 'logFailed', { name, why: words.why(data.error) }),
  'upload-cancelled': (data, name, words) =>
    words.say(data.fileId ? 'logCancelled' : 'logCancelledAll', { name, why: reasonOf(data.reason, words) }),
  'session-completed': (data, name, words) => settled(data, words),
  'session-error': (data, name, words) => words.say('logFault', { why: words.why(data.error) }),
  'file-deleted': (data, name, words) => words.say(data.by === 'uploader' ? 'saidDeletedUploader' : 'logDeleted', { name }),
}

const TONES = {
  'upload-completed': 'good',
  'upload-failed': 'bad',
  'session-error': 'bad',
  'upload-cancelled': 'soft',
}

/** When it happened, by the event's own words. */
export const atOf = ({ startTime, endTime, failedAt, cancelledAt, deletedAt, timestamp }) =>
  startTime ?? endTime ?? failedAt ?? cancelledAt ?? deletedAt ?? timestamp ?? null

/**
 * @param {{seq?, number?, event?, name?, at, data}} entry an event or a deed
 * @param {Map<string, string>} names of files by their ids, for events that tell only the id
 * @returns {{key, number, text, tone, at, raw}}
 */
export function sentence(entry, names, words) {
  const event = entry.event ?? entry.name
  const { data } = entry
  const name = data.fileName ?? names.get(data.fileId) ?? words.say('unknownFile')
  const say = SENTENCES[event] ?? (() => words.say('logOther', { name: event }))
  return {
    key: `${event}-${entry.seq ?? entry.number}`,
    number: entry.seq ?? null,
    text: say(data, name, words),
    tone: TONES[event] ?? '',
    at: entry.at ?? atOf(data),
    raw: JSON.stringify(data, null, 2),
  }
}

/** @param {object[]} files of a snapshot */
export const namesOf = (files) => new Map(files.map(({ id, originalName }) => [id, originalName]))
