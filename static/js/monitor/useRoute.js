// Which part of the page is shown, as its address says after the #: so that back, reload and bookmarks work.

import { onScopeDispose, shallowRef } from '../../vendor/vue.runtime.esm-browser.prod.js'

const PARTS = ['sessions', 'files', 'letters']

function plain(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @returns {{part: string, id: string | null}} */
export function routeOf(hash) {
  const [part, id] = hash.replace(/^#\/?/, '').split('/')
  if (part === 'sessions' && id) return { part: 'session', id: plain(id) }
  return { part: PARTS.includes(part) ? part : 'overview', id: null }
}

export const sessionLink = (sessionId) => `#/sessions/${encodeURIComponent(sessionId)}`

export function useRoute(env) {
  const route = shallowRef(routeOf(env.location.hash))
  const turn = () => {
    route.value = routeOf(env.location.hash)
  }
  env.addEventListener('hashchange', turn)
  onScopeDispose(() => env.removeEventListener('hashchange', turn))
  return route
}
