// Which part of the page is shown and what it is asked, as its address says after the #: so that back, reload and
// bookmarks work.

import { onScopeDispose, shallowRef } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { query } from './api.js'

const PARTS = ['sessions', 'files', 'letters']

function plain(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @returns {{part: string, id: string | null, asked: Object<string, string>}} */
export function routeOf(hash) {
  const [path, question] = hash.replace(/^#\/?/, '').split('?')
  const [part, id] = path.split('/')
  if (part === 'sessions' && id) return { part: 'session', id: plain(id), asked: {} }
  return {
    part: PARTS.includes(part) ? part : 'overview',
    id: null,
    asked: Object.fromEntries(new URLSearchParams(question)),
  }
}

export const sessionLink = (sessionId) => `#/sessions/${encodeURIComponent(sessionId)}`

/** The question goes into the address of the part that is shown, which stays one step of the history. */
export const keepAsked = (env, part, asked) =>
  env.history.replaceState(env.history.state, '', `#/${part}${query(asked)}`)

/** `turns`: how often somebody went elsewhere; the same part with another question is elsewhere, too. */
export function useRoute(env) {
  let turns = 0
  const look = () => ({ ...routeOf(env.location.hash), turns })
  const route = shallowRef(look())
  const turn = () => {
    turns += 1
    route.value = look()
  }
  env.addEventListener('hashchange', turn)
  onScopeDispose(() => env.removeEventListener('hashchange', turn))
  return route
}
