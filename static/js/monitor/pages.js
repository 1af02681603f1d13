// A list that comes in pages: the first ones again when something changed, a further one when somebody asks for it.
// An answer to an older question than the last one is dropped. Knows no HTTP and no Vue.

const MOST = 200

export class Pages {
  /**
   * @param {(asked: object) => Promise<object>} fetch what is asked for, with `before` and `limit`
   * @param {string} name of the list in an answer
   * @param {(state: object) => void} onChange {rows, next, loading, problem}
   */
  constructor(fetch, name, onChange, size = 50) {
    Object.assign(this, { fetch, name, onChange, size, asked: {}, turn: 0 })
    this.state = { rows: [], next: null, loading: false, problem: null, known: false }
  }

  /** Another question: what is shown stays until its answer is there. */
  ask(asked) {
    this.asked = asked
    return this.#load({ limit: this.size }, () => [])
  }

  /** The same question once more, for as much as is shown. */
  refresh() {
    if (this.state.loading) return Promise.resolve()
    // Beyond what the station gives at once, the pages further down stay as they were asked for.
    if (this.state.rows.length > MOST) return Promise.resolve()
    return this.#load({ limit: Math.max(this.size, this.state.rows.length) }, () => [])
  }

  more() {
    if (this.state.loading || this.state.next === null) return Promise.resolve()
    return this.#load({ before: this.state.next, limit: this.size }, () => this.state.rows)
  }

  /** What was taken away needs no answer to be gone. */
  drop(isGone) {
    this.#tell({ rows: this.state.rows.filter((row) => !isGone(row)) })
  }

  stop() {
    this.turn += 1
  }

  async #load(place, kept) {
    const turn = (this.turn += 1)
    this.#tell({ loading: true })
    try {
      const answer = await this.fetch({ ...this.asked, ...place })
      if (turn !== this.turn) return
      const rows = [...kept(), ...answer[this.name]]
      this.#tell({ rows, next: answer.next ?? null, loading: false, problem: null, known: true })
    } catch (fault) {
      if (turn !== this.turn) return
      this.#tell({ loading: false, problem: fault.problem ?? { code: 'SERVER_ERROR' } })
    }
  }

  #tell(news) {
    this.state = { ...this.state, ...news }
    this.onChange(this.state)
  }
}
