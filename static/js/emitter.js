// Who wants to hear of which event. Knows nothing of what the events mean.

// As if nobody had caught it; an old browser has no word for that.
const report = (fault) => (globalThis.reportError ?? console.error)(fault)

export class Emitter {
  constructor() {
    this.listeners = new Map()
  }

  on(name, listener) {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set())
    this.listeners.get(name).add(listener)
    return this
  }

  /** Without a listener: all of that name. */
  off(name, listener) {
    if (listener === undefined) this.listeners.delete(name)
    else this.listeners.get(name)?.delete(listener)
    return this
  }

  /** A listener that throws spoils neither the others nor the stream; the fault is reported where the browser shows it. */
  tell(name, ...values) {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      try {
        listener(...values)
      } catch (fault) {
        report(fault)
      }
    }
  }
}
