// What the browser has of the things that a page of ours needs. Where it has none, a quiet nothing.

const all = globalThis

/** Under this name the page keeps things in the browser (see memory.js). */
export const PLACE = 'upload-station'

/** What watching a session needs, and speaking two languages. */
export function browserEnv() {
  return {
    WebSocket: globalThis.WebSocket,
    EventSource: globalThis.EventSource,
    // Called as methods of env, which is not the window they insist on.
    fetch: (...all) => globalThis.fetch(...all),
    setTimeout: (...all) => globalThis.setTimeout(...all),
    clearTimeout: (...all) => globalThis.clearTimeout(...all),
    location: globalThis.location,
    random: Math.random,
    now: Date.now,
    addEventListener: (...all) => globalThis.addEventListener?.(...all),
    removeEventListener: (...all) => globalThis.removeEventListener?.(...all),
    document: globalThis.document,
    history: globalThis.history,
    // A browser never asks again for a module that did not come, nor for one that imports it (whatwg/html#6768): the
    // station has them all under further addresses, too.
    module: (name, tries) => import(tries === 0 ? `./${name}` : `/static/again-${tries}/js/${name}`),
  }
}

/** What sending needs, too. */
export function pageEnv() {
  return {
    ...browserEnv(),
    Worker: all.Worker,
    trustedTypes: all.trustedTypes,
    wakeLock: all.navigator?.wakeLock,
    noSleep: () => all.NoSleep,
    tus: () => all.tus,
    // Reading it is what throws where storage is forbidden.
    storage: () => all.localStorage,
    channel: () => new all.BroadcastChannel(PLACE),
    onLine: () => all.navigator?.onLine !== false,
    hidden: () => all.document?.visibilityState === 'hidden',
    requestAnimationFrame: (call) => all.requestAnimationFrame(call),
    cancelAnimationFrame: (id) => all.cancelAnimationFrame(id),
    show: (path) => all.history.pushState(null, '', path + all.location.search),
    reload: () => all.location.reload(),
  }
}
