// How a visit at a kiosk stands: its stage, what is left of its time, whether bytes are on their way. Only reads it.

export const SUMMARY = 20000
export const COUNTDOWN = 20000
// After this silence an upload counts as stalled, whatever it calls itself.
const STALLED = 10000
// A phone may be in a lift: what is not finished is waited for longer.
const PATIENT = 10

/** A session is open, and its end was not told yet. */
export const started = (visit) => visit.sessionId !== null && visit.stage !== 'summary'

/** Whether the station is out of sight: what is shown may be old, and nothing is decided meanwhile. */
export const away = (visit) => visit.feed === 'offline' || visit.tries > 0

/** Milliseconds without news after which a visit is over. */
export const allowed = ({ files, patience }) => patience * (files.open > 0 ? PATIENT : 1)

/** Whether bytes are on their way, as far as can be seen. */
export const flowing = (visit) => visit.files.uploading > 0 && visit.quiet < Math.min(STALLED, allowed(visit))

/** Whole seconds until the visit, or its summary, is over by itself. */
export function secondsLeft(visit) {
  const left = visit.stage === 'summary' ? SUMMARY - visit.shown : allowed(visit) - visit.quiet
  return Math.max(0, Math.ceil(left / 1000))
}

export function stageOf(visit) {
  if (!started(visit)) return visit.stage
  if (visit.files.count === 0) return visit.others > 0 ? 'connected' : 'ready'
  const all = allowed(visit)
  return visit.ending !== null || all - visit.quiet <= Math.min(COUNTDOWN, all / 2) ? 'idle' : 'receiving'
}
