// The composable over one session: read whole, then followed over the page's own socket, or read again while there is
// none. Knows Vue; watched.js folds.

import { onScopeDispose, shallowRef, watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { Timers } from '../timers.js'
import { fetchSession } from './api.js'
import { follow, isRunning, opened } from './watched.js'

// Many messages may show the same gap: it is mended once.
const MEND_AFTER = 300
const AGAIN = 5000

export function useSession(at, sessionId) {
  const watched = shallowRef(null)
  const problem = shallowRef(null)
  const timers = new Timers(at.env)
  let joined = false
  let over = false

  async function load() {
    try {
      const told = await fetchSession(at.env, sessionId)
      if (over) return
      watched.value = opened(told)
      problem.value = null
      join()
    } catch (fault) {
      if (over) return
      problem.value = fault.problem ?? { code: 'SERVER_ERROR' }
      at.failed(problem.value)
      if (problem.value.code === 'NETWORK_ERROR') timers.after('again', AGAIN, load)
    }
  }

  function join() {
    if (joined || !isRunning(watched.value)) return
    joined = at.send('join-session', { sessionId })
  }

  function take(message) {
    if (message.data.sessionId !== sessionId || watched.value === null) return
    watched.value = follow(watched.value, message)
    if (watched.value.gap) timers.after('mend', MEND_AFTER, load)
  }

  at.on('message', take)
  watch(at.status, (now) => {
    joined = false
    if (now === 'live') load()
  })
  const runs = () => watched.value !== null && isRunning(watched.value)
  // While messages come, they tell more; what only the journal tells (a deleted file) comes with the changes.
  watch(at.changes, () => (!joined || !runs()) && load())
  // Polling: what runs is read again as often as the overview.
  watch(at.overview, () => at.status.value === 'polling' && runs() && load())
  onScopeDispose(() => {
    over = true
    timers.clearAll()
    if (joined) at.send('leave-session', { sessionId })
  })
  load()
  return { watched, problem, load }
}
