// Uploads that an earlier visit of this browser left unfinished. Knows the memory and asks the station once for each:
// shown at once; what is over there is forgotten, what cannot be asked is kept and not shown any more.

import { onScopeDispose, shallowRef } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'

const OVER = ['completed', 'cancelled']
// More than anybody left behind; each costs a request.
const MOST = 5

const hasOpen = ({ files }) => files.some(({ arrived }) => !arrived)

/** @param {object | null} told null before the station has answered: then nobody knows how much is stored */
function summed({ sessionId, at, files }, told) {
  const known = new Map(told?.files.map((file) => [file.id, file]))
  const open = files.filter(({ fileId, arrived }) => !arrived && !OVER.includes(known.get(fileId)?.status))
  const stored = ({ fileId }) => known.get(fileId)?.uploadedBytes ?? 0
  return {
    sessionId,
    at,
    count: open.length,
    stored: told && open.reduce((sum, file) => sum + stored(file), 0),
    total: open.reduce((sum, { size }) => sum + size, 0),
    names: open.map(({ name }) => name),
  }
}

/** @param {() => Promise<Set<string>>} elsewhere sessions that other pages of this browser are sending: not shown */
export function useLeft(env, memory, elsewhere) {
  const left = shallowRef([])
  let round = 0

  async function ask(session) {
    try {
      const told = await api.fetchProgress(env, session.sessionId)
      const sum = told.summary ? null : summed(session, told)
      if (sum?.count > 0) return sum
      memory.forget(session.sessionId)
    } catch ({ problem }) {
      if (problem?.code === 'SESSION_NOT_FOUND') memory.forget(session.sessionId)
    }
    return null
  }

  async function look() {
    const mine = (round += 1)
    const remembered = memory.sessions().filter(hasOpen).slice(0, MOST)
    // It has its place at once, where later it would push away what somebody is about to touch.
    left.value = remembered.map((session) => summed(session, null))
    if (remembered.length === 0) return
    const put = (sessionId, sum) => {
      if (mine !== round) return
      left.value = left.value.map((one) => (one.sessionId === sessionId ? sum : one)).filter((one) => one !== null)
    }
    const busy = elsewhere().then((sessions) => sessions.forEach((id) => put(id, null)))
    const asked = remembered.map(async (session) => put(session.sessionId, await ask(session)))
    await Promise.all([busy, ...asked])
  }

  const clear = () => {
    round += 1
    left.value = []
  }
  onScopeDispose(clear)
  return {
    left,
    look,
    clear,
    forget({ sessionId }) {
      memory.forget(sessionId)
      left.value = left.value.filter((sum) => sum.sessionId !== sessionId)
    },
  }
}
