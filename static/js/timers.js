// Timers by what they are for: setting one anew replaces it, and all can be dropped at once. Knows no clock of its own.

export class Timers {
  /** @param {{setTimeout: Function, clearTimeout: Function}} env */
  constructor(env) {
    this.env = env
    this.ids = new Map()
  }

  has(name) {
    return this.ids.has(name)
  }

  /** @param {number} delay milliseconds */
  after(name, delay, call) {
    this.clear(name)
    this.ids.set(
      name,
      this.env.setTimeout(() => {
        this.ids.delete(name)
        call()
      }, delay),
    )
  }

  clear(name) {
    if (!this.ids.has(name)) return
    this.env.clearTimeout(this.ids.get(name))
    this.ids.delete(name)
  }

  clearAll() {
    for (const name of [...this.ids.keys()]) this.clear(name)
  }
}
