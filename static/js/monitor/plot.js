// One curve on a canvas, by uPlot. Drawn anew when the theme, the language or the room for it changes. Knows the
// library and the page's colours.

import { dataOf, measured } from './series.js'

const DARK = '(prefers-color-scheme: dark)'
const HEIGHT = 10 // rem

const WHOLE = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()
const STEPS = { throughput: WHOLE, uploads: WHOLE, watchers: WHOLE }
const LEAST = { throughput: 1000, uploads: 2, watchers: 2, delay: 0.01 }

const colours = (element) => {
  const style = getComputedStyle(element)
  const of = (name) => style.getPropertyValue(name).trim()
  return { line: of('--line'), soft: of('--soft'), main: of('--main'), fill: of('--main-soft') }
}

// Between two gaps there is no line, only a point.
const alone = (values) =>
  values.flatMap((value, at) =>
    value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : [],
  )

const tick = (name, value, words) => (name === 'throughput' ? words.speed(value) : measured(name, value, words))

export class Plot {
  /** @param {(value: number | null) => void} onPoint what is under the pointer */
  constructor(env, place, name, onPoint) {
    Object.assign(this, { env, place, name, onPoint, chart: null, points: null, words: null })
    this.dark = env.matchMedia(DARK)
    this.redraw = () => this.#draw()
    this.dark.addEventListener('change', this.redraw)
    this.watcher = new ResizeObserver(() => this.#fit())
    this.watcher.observe(place)
  }

  show(points, words) {
    const same = words.language === this.words?.language
    Object.assign(this, { points, words })
    if (this.chart === null || !same) this.#draw()
    else this.chart.setData(dataOf(points, this.name))
  }

  stop() {
    this.dark.removeEventListener('change', this.redraw)
    this.watcher.disconnect()
    this.chart?.destroy()
    this.chart = null
  }

  get #rem() {
    return Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  }

  get #size() {
    return { width: Math.max(120, Math.floor(this.place.clientWidth)), height: Math.round(HEIGHT * this.#rem) }
  }

  #fit() {
    if (this.chart !== null && this.chart.width !== this.#size.width) this.chart.setSize(this.#size)
  }

  #draw() {
    // Without the library the sentence below it still says what the curve would.
    const Library = this.env.uPlot()
    if (!Library || this.points === null) return
    this.chart?.destroy()
    this.chart = new Library(this.#options(), dataOf(this.points, this.name), this.place)
  }

  #options() {
    const { main, fill } = colours(this.place)
    const most = (chart, least, highest) => [0, Math.max(LEAST[this.name], (highest ?? 0) * 1.1)]
    return {
      ...this.#size,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, sync: { key: 'monitor' }, y: false },
      scales: { y: { range: most } },
      axes: [this.#times(), this.#values()],
      series: [
        {},
        {
          stroke: main,
          fill,
          width: 2,
          points: { show: false, size: 6, fill: main, filter: (chart) => alone(chart.data[1]) },
        },
      ],
      hooks: {
        setCursor: [({ cursor, data }) => this.onPoint(data[1][cursor.idx ?? -1] ?? null)],
      },
    }
  }

  #axis() {
    const { line, soft } = colours(this.place)
    const marks = { stroke: line, width: 1 }
    const font = `${0.75 * this.#rem}px system-ui, sans-serif`
    return { stroke: soft, grid: marks, ticks: { ...marks, size: 4 }, font }
  }

  #times() {
    const clock = new Intl.DateTimeFormat(this.words.language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    const values = (chart, splits) => splits.map((at) => clock.format(new Date(at * 1000)))
    return { ...this.#axis(), values, space: 4 * this.#rem, size: 2 * this.#rem }
  }

  #values() {
    const values = (chart, splits) => splits.map((value) => tick(this.name, value, this.words))
    const steps = this.name in STEPS ? { incrs: STEPS[this.name] } : {}
    return { ...this.#axis(), ...steps, values, space: 2 * this.#rem, size: 5.2 * this.#rem }
  }
}
