// Numbers in words, in Chinese and English. Pure: the language is passed in, nothing is read from the browser.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
const NO_BREAK = '\u00a0'

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0

/**
 * @param {number | null | undefined} count bytes
 * @param {number} step 1024, or 1000 where disks and their makers count so
 * @returns {string} three figures at most, "" for what is not known
 */
export function bytes(count, step = 1024) {
  if (!isNumber(count)) return ''
  let value = count
  let unit = 0
  // 999.5 of a unit would be written as 1000: the next unit says it shorter.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= step
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  const text = value.toFixed(digits)
  return `${digits === 0 ? text : text.replace(/\.?0+$/, '')}${NO_BREAK}${UNITS[unit]}`
}

/** @param {number | null | undefined} perSecond bytes per second */
export function speed(perSecond) {
  const text = bytes(perSecond)
  return text === '' ? '' : `${text}/s`
}

const WORDS = {
  zh: { h: '小时', min: '分', s: '秒', join: ' ', soon: '不到 1 秒', gap: ' ' },
  en: { h: 'h', min: 'min', s: 's', join: ' ', soon: 'less than a second', gap: ' ' },
}

const wordsOf = (language) => (String(language).toLowerCase().startsWith('zh') ? WORDS.zh : WORDS.en)

/**
 * A span of time in words, in its two largest units: "3 min 20 s", "2 h 5 min".
 * @param {number | null | undefined} span seconds
 * @param {string} language "zh-CN" or "en"
 */
export function seconds(span, language) {
  if (!isNumber(span)) return ''
  const words = wordsOf(language)
  if (span < 1) return words.soon
  const whole = Math.round(span)
  const parts = [
    [Math.floor(whole / 3600), words.h],
    [Math.floor((whole % 3600) / 60), words.min],
    [whole % 60, words.s],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${words.gap}${unit}`)
    .join(words.join)
}

/**
 * A time to come, as roughly as it is known: nobody believes "2 min 13 s left".
 * @param {number | null | undefined} span seconds
 * @returns {{unit: string, count?: number, hours?: number, minutes?: number} | null} null for what is not known
 */
export function roughly(span) {
  if (!isNumber(span)) return null
  if (span <= 5) return { unit: 'soon' }
  if (span <= 50) return { unit: 'seconds', count: Math.ceil(span / 10) * 10 }
  if (span < 3570) return { unit: 'minutes', count: Math.max(1, Math.round(span / 60)) }
  if (span > 86400) return { unit: 'days' }
  const tens = Math.round(span / 600)
  const [hours, minutes] = [Math.floor(tens / 6), (tens % 6) * 10]
  return minutes === 0 ? { unit: 'hours', hours } : { unit: 'hoursMinutes', hours, minutes }
}

/**
 * Rounded down, so that 100 % is never shown before the station said so.
 * @param {number | null | undefined} progress 0 to 100
 */
export function percent(progress) {
  return isNumber(progress) ? `${Math.floor(Math.min(progress, 100))}%` : ''
}

/** Fills the {names} of a sentence. Unknown names stay as they are. */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.keys(values).includes(name) ? String(values[name]) : whole,
  )
}
