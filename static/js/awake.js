// Keeps the screen on: by a wake lock where there is one, else (on plain http) by a film that nobody sees. Knows the
// browser's ways; when the screen has to stay on is others' affair.

const FILM = '/static/vendor/NoSleep.min.js'

export class Awake {
  /**
   * @param {object} env {wakeLock?, document?, noSleep?()}
   * @param {((path: string) => Promise<void>) | null} need see scripts.js; null: there will be no touch, and so no film
   * @param {(on: boolean) => void} [onChange]
   */
  constructor(env, need, onChange = () => {}) {
    Object.assign(this, { env, need, onChange })
    this.wanted = false
    this.lock = null
    this.film = null
    this.asking = false
    this.seen = () => this.#take()
  }

  /** Has what is needed at hand: the film starts only within a touch, when there is no time to fetch it. */
  prepare() {
    if (this.env.wakeLock || this.need === null) return
    this.need(FILM).then(
      () => this.#take(),
      () => {},
    )
  }

  /** To be called within a touch or a key, the first time. */
  on() {
    if (!this.wanted) this.env.document?.addEventListener('visibilitychange', this.seen)
    this.wanted = true
    this.#take()
  }

  off() {
    this.wanted = false
    this.env.document?.removeEventListener('visibilitychange', this.seen)
    this.lock?.release().catch(() => {})
    this.lock = null
    if (this.film?.isEnabled) this.film.disable()
    this.onChange(false)
  }

  // A lock is lost whenever the page is hidden.
  #take() {
    if (!this.wanted || this.env.document?.visibilityState === 'hidden') return
    if (this.env.wakeLock) this.#lock()
    else this.#play()
  }

  async #lock() {
    if (this.asking || (this.lock !== null && !this.lock.released)) return
    this.asking = true
    try {
      const lock = await this.env.wakeLock.request('screen')
      if (this.wanted) this.lock = lock
      else lock.release().catch(() => {})
    } catch {
      // The battery is low, or the page was hidden meanwhile.
    }
    this.asking = false
    this.onChange(this.wanted && this.lock !== null)
  }

  async #play() {
    const NoSleep = this.env.noSleep?.()
    if (!NoSleep) return
    this.film ??= new NoSleep()
    try {
      await this.film.enable()
      // Over before the film began.
      if (!this.wanted) this.film.disable()
      this.onChange(this.wanted)
    } catch {
      this.onChange(false)
    }
  }
}
