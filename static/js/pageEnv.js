// What the browser has of the things that a page of ours needs beyond watching. Where it has none, a quiet nothing.

import { browserEnv } from './useWebSocket.js'

const all = globalThis

export function pageEnv() {
  return {
    ...browserEnv(),
    Worker: all.Worker,
    trustedTypes: all.trustedTypes,
    wakeLock: all.navigator?.wakeLock,
    document: all.document,
    noSleep: () => all.NoSleep,
    tus: () => all.tus,
    // Reading it is what throws where storage is forbidden.
    storage: () => all.localStorage,
    onLine: () => all.navigator?.onLine !== false,
    hidden: () => all.document?.visibilityState === 'hidden',
    requestAnimationFrame: (call) => all.requestAnimationFrame(call),
    cancelAnimationFrame: (id) => all.cancelAnimationFrame(id),
    show: (path) => all.history.pushState(null, '', path + all.location.search),
    reload: () => all.location.reload(),
  }
}
