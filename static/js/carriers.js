// The two carriers over which the station pushes: WebSocket and server-sent events. Each is a function
// (env, at, on) -> {close(), check(), send?(event, data)} and lives once: after `on.lost` it is spent.
// Knows its transport and how messages are written; nothing of repeats, of order, or of when to try another carrier.
//
// env: {WebSocket, EventSource, fetch, setTimeout, clearTimeout, location, now}
// at():  {sessionId, seq, epoch} at this moment; epoch null means that nothing is known yet
// on:    {open(), message(message), lost({gone?, retryAfter?})}; `gone`: the station does not know the session

import { retryAfter } from './backoff.js'
import { messageOf } from './events.js'
import { Timers } from './timers.js'

export const OPEN_WITHIN = 3000
// Some proxies accept a stream and then hold it back: a carrier that opens but brings nothing is no carrier.
export const JOIN_WITHIN = 5000
export const ANSWER_WITHIN = 5000

function query(values) {
  const known = Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`
}

/**
 * One GET of the snapshot, with what happened since when that is asked for.
 * @param {number} within milliseconds, after which it counts as failed
 * @throws {{gone: boolean, retryAfter: number | null}}
 */
export async function snapshot(env, { sessionId, ...rest }, within) {
  const abort = new AbortController()
  const timers = new Timers(env)
  timers.after('abort', within, () => abort.abort())
  try {
    const url = `/api/upload/progress/${encodeURIComponent(sessionId)}${query(rest)}`
    const response = await env.fetch(url, { signal: abort.signal, cache: 'no-store' })
    if (response.ok) return await response.json()
    throw { gone: response.status === 404, retryAfter: retryAfter(response.headers.get('Retry-After'), env.now()) }
  } finally {
    timers.clearAll()
  }
}

const position = ({ sessionId, seq, epoch }) => (epoch === null ? { sessionId } : { sessionId, lastSeq: seq, epoch })

// What both have in common: one deadline at a time, and a loss that is told once.
function life(env, on, hangUp) {
  const timers = new Timers(env)
  const self = {
    spent: false,
    within: (delay) => timers.after('deadline', delay, self.lose),
    inTime: () => timers.clear('deadline'),
    close() {
      self.spent = true
      timers.clearAll()
      hangUp()
    },
    lose() {
      if (self.spent) return
      self.close()
      on.lost({})
    },
    take(text) {
      const message = self.spent ? null : messageOf(text)
      if (message === null) return
      timers.clear('deadline')
      on.message(message)
    },
  }
  return self
}

export function webSocket(env, at, on) {
  const start = at()
  const { protocol, host } = env.location
  const scheme = protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new env.WebSocket(`${scheme}//${host}/ws${query(start.sessionId === null ? {} : position(start))}`)
  const self = life(env, on, () => socket.close())
  const send = (event, data) => {
    socket.send(JSON.stringify({ event, data }))
    if (event === 'join-session') self.within(JOIN_WITHIN)
  }
  self.within(OPEN_WITHIN)
  socket.onopen = () => {
    if (self.spent) return
    if (start.sessionId === null) self.inTime()
    else self.within(JOIN_WITHIN)
    on.open()
  }
  socket.onmessage = ({ data }) => self.take(data)
  socket.onclose = self.lose
  socket.onerror = self.lose
  return {
    close: self.close,
    send,
    // A dead network closes nothing for minutes: ask for the present state and see whether anything comes.
    check() {
      self.within(ANSWER_WITHIN)
      send('upload-progress', { sessionId: at().sessionId, requestUpdate: true })
    },
  }
}

export function eventStream(env, at, on) {
  const { sessionId, ...rest } = position(at())
  const source = new env.EventSource(`/api/upload/events/${encodeURIComponent(sessionId)}${query(rest)}`)
  const self = life(env, on, () => source.close())
  self.within(OPEN_WITHIN + JOIN_WITHIN)
  source.onopen = () => {
    if (self.spent) return
    self.within(JOIN_WITHIN)
    on.open()
  }
  source.onmessage = ({ data }) => self.take(data)
  // The browser would reconnect by itself, but only to the same place; the ladder decides instead.
  source.onerror = self.lose
  return {
    close: self.close,
    // A stream cannot be asked anything; but the station can, and must know nothing that did not come here.
    check() {
      snapshot(env, { sessionId }, ANSWER_WITHIN).then((told) => told.seq > at().seq && self.lose(), self.lose)
    },
  }
}
