// The station's series as a chart wants them, and in words for those who do not see it. Pure.

export const NAMES = Object.freeze(['throughput', 'uploads', 'watchers', 'delay'])
// What flows is an average of each step, all else the most in it.
const FLOWS = 'throughput'
const ROWS = 12

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value)

const mean = (values) => (values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length)

/** A value of one of the series in words. */
export function measured(name, value, words) {
  if (!isNumber(value)) return words.say('none')
  if (name === 'throughput') return words.speed(value)
  return name === 'delay' ? words.short(value) : words.count(Math.round(value * 10) / 10)
}

/** What uPlot takes: the moments, then the values, null where nothing was recorded. */
export const dataOf = (points, name) => [points.at, points[name].map((value) => (isNumber(value) ? value : null))]

/** One sentence that says what the curve shows. */
export function summary(points, name, words) {
  const known = points[name].flatMap((value, index) => (isNumber(value) ? [{ value, at: points.at[index] }] : []))
  const label = words.say(name)
  if (known.length === 0) return words.say('chartEmpty', { name: label })
  const most = known.reduce((one, other) => (other.value > one.value ? other : one))
  return words.say(name === FLOWS ? 'chartFlow' : 'chartMost', {
    name: label,
    // Of a whole step, unlike what is told as of now.
    last: measured(name, known.at(-1).value, words),
    step: words.seconds(points.at[1] - points.at[0]),
    most: measured(name, most.value, words),
    time: words.moment(most.at),
    mean: measured(name, mean(known.map(({ value }) => value)), words),
  })
}

/**
 * All series in few rows, the newest last, each over a stretch of the same length.
 * @returns {{at: number, values: (number | null)[]}[]} values in the order of NAMES
 */
export function table(points) {
  const length = Math.ceil(points.at.length / ROWS)
  const starts = Array.from({ length: length === 0 ? 0 : Math.ceil(points.at.length / length) }, (_, n) => n * length)
  const most = (values) => (values.length === 0 ? null : Math.max(...values))
  const one = (name, start) =>
    (name === FLOWS ? mean : most)(points[name].slice(start, start + length).filter(isNumber))
  return starts.map((start) => ({ at: points.at[start], values: NAMES.map((name) => one(name, start)) }))
}
