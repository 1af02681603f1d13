// What all rows of a session come to, and what can be done with them together. Pure.

const OUT = ['cancelled']

const whole = (done, total, all) => (total > 0 ? Math.min(100, (done / total) * 100) : all ? 100 : 0)

/**
 * @param {object[]} rows
 * @param {number | null} remaining seconds, by the station
 */
export function sumOf(rows, remaining) {
  const of = (...phases) => rows.filter(({ phase }) => phases.includes(phase)).length
  // What will not be stored any more would keep the bar from its end.
  const counted = rows.filter(({ phase, canCancel }) => !OUT.includes(phase) && (phase !== 'failed' || canCancel))
  const add = (value) => counted.reduce((sum, row) => sum + (value(row) ?? 0), 0)
  const total = add(({ size }) => size)
  const stored = ({ phase, size, uploaded }) => (phase === 'completed' ? size : uploaded)
  const uploaded = add(stored)
  const sent = add((row) => Math.max(stored(row) ?? 0, ((row.sent ?? 0) / 100) * (row.size ?? 0)))
  const done = of('completed')
  const all = counted.length > 0 && done === counted.length
  // What the station reckoned holds only while something moves.
  const moves = rows.some(({ phase, speed }) => phase === 'saving' || speed > 0)
  return {
    progress: whole(uploaded, total, all),
    sent: whole(sent, total, all),
    uploaded,
    total,
    remaining: moves ? remaining : null,
    speed: add(({ speed }) => speed),
    done,
    count: rows.length,
    active: of('uploading', 'saving'),
    waiting: of('waiting'),
    paused: of('paused'),
    failed: of('failed'),
  }
}

/** @param {boolean} open whether the session takes files */
export function powersOf(rows, open) {
  const some = (test) => open && rows.some(test)
  const underWay = ({ phase }) => ['queued', 'uploading', 'saving', 'waiting'].includes(phase)
  return {
    pauseAll: some(({ canPause }) => canPause),
    resumeAll: some(({ canResume }) => canResume),
    retryAll: some(({ canRetry }) => canRetry),
    cancelAll: some(({ canCancel }) => canCancel),
    finish: open && rows.length > 0 && !rows.some(underWay),
    add: open,
  }
}
