// A list that comes in pages: the first ones again when something changed, a further one when somebody asks for it.
// An answer to an older question than the last one is dropped. Knows no HTTP and no Vue.

// The station gives so many rows at once.
const MOST = 200

export class Pages {
  /**
   * @param {(asked: object) => Promise<object>} fetch what is asked for, with `before` and `limit`
   * @param {string} name of the list in an answer
   * @param {(state: object) => void} onChange {rows, next, loading, problem, told}; `told`: the last answer
   */
  constructor(fetch, name, onChange, size = 50) {
    Object.assign(this, { fetch, name, onChange, size, asked: {}, turn: 0, late: false })
    this.state = { rows: [], next: null, loading: false, problem: null, known: false, told: {} }
  }

  /** Another question: what is shown stays until its answer is there. `rows`: how many are wanted. */
  ask(asked, rows = this.size) {
    this.asked = asked
    return this.#load(rows)
  }

  /** The same question once more, for as much as is shown. */
  refresh() {
    this.late = this.state.loading
    return this.late ? Promise.resolve() : this.#load(this.state.rows.length)
  }

  more() {
    if (this.state.loading || this.state.next === null) return Promise.resolve()
    return this.#load(this.size, this.state.rows, this.state.next)
  }

  /** What was taken away needs no answer to be gone. */
  drop(isGone) {
    this.#tell({ rows: this.state.rows.filter((row) => !isGone(row)) })
  }

  stop() {
    this.turn += 1
  }

  async #load(wanted, above = [], before = null) {
    const turn = (this.turn += 1)
    this.#tell({ loading: true })
    try {
      const { rows, ...end } = await this.#read(Math.max(this.size, wanted), before, () => turn === this.turn)
      if (turn !== this.turn) return
      this.#tell({ rows: [...above, ...rows], ...end, loading: false, problem: null, known: true })
    } catch (fault) {
      if (turn !== this.turn) return
      this.#tell({ loading: false, problem: fault.problem ?? { code: 'SERVER_ERROR' } })
    }
    // What changed meanwhile may be in none of the pieces.
    if (this.late) await this.refresh()
  }

  async #read(wanted, before, isAsked) {
    const rows = []
    let next = before
    let told = {}
    for (let left = wanted, limit = 0; left > 0 && isAsked(); left -= limit) {
      limit = Math.min(left, MOST)
      told = await this.fetch({ ...this.asked, ...(next !== null && { before: next }), limit })
      rows.push(...told[this.name])
      next = told.next ?? null
      // A search may give less than it was asked for, and go on when it is asked again.
      if (next === null || told[this.name].length < limit) break
    }
    return { rows, next, told }
  }

  #tell(news) {
    this.state = { ...this.state, ...news }
    this.onChange(this.state)
  }
}
