// The composable through which a component watches a session. Knows Vue and the feed; the transports are the feed's affair.

import { getCurrentScope, onScopeDispose, ref, shallowRef } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Emitter } from './emitter.js'
import { SETTLED } from './events.js'
import { browserEnv } from './pageEnv.js'
import { Feed } from './transports.js'

const startProgress = () => ({
  overallStatus: 'pending',
  totalProgress: 0,
  completedFiles: 0,
  failedFiles: 0,
  currentFile: null,
  message: '',
})

const FROM_SNAPSHOT = ['overallStatus', 'totalProgress', 'completedFiles', 'failedFiles']
const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]))

/**
 * Watches one session over whatever transport works: WebSocket, server-sent events, polling.
 *
 * `socket` holds an object with `on(event, listener)`, `off(event, listener?)` and `emit(event, data)` from `connect()`
 * to `disconnect()`; besides the station's events it tells `connect` and `disconnect`. `onProgress`, `onCompleted` and
 * `onError` are refs to callbacks. When the session has settled, `onCompleted` is called and the connection ends.
 * Beyond the seed's surface: `status` and `transport` (see Feed) and `state` (see events.js).
 * @param {string} [sessionId] may come later, through `emitJoinSession`
 */
export function useWebSocket(sessionId = null, env = browserEnv(), rungs = undefined) {
  const socket = shallowRef(null)
  const connected = ref(false)
  const progress = ref(startProgress())
  const onProgress = shallowRef(null)
  const onCompleted = shallowRef(null)
  const onError = shallowRef(null)
  const status = ref('idle')
  const transport = ref(null)

  const feed = new Feed(env, { onMessage: take, onStatus: follow, ...(rungs && { rungs }) })
  const state = shallowRef(feed.state)
  feed.sessionId = sessionId
  const events = new Emitter()
  events.on('upload-progress', advance)
  const face = {
    on: (name, listener) => (events.on(name, listener), face),
    off: (name, listener) => (events.off(name, listener), face),
    emit,
  }

  function take(message, now) {
    state.value = now
    if (message.event === 'session-joined') {
      progress.value = { ...progress.value, ...pick(message.data, FROM_SNAPSHOT) }
    }
    if (message.event === 'error' || message.event === 'session-error') call(onError, message.data)
    events.tell(message.event, message.data)
  }

  function call(callback, ...values) {
    const once = new Emitter()
    if (callback.value) once.on('call', callback.value).tell('call', ...values)
  }

  function advance(data) {
    progress.value = { ...progress.value, ...data, currentFile: data.currentFile ?? progress.value.currentFile }
    call(onProgress, data)
    if (SETTLED.includes(data.overallStatus) && state.value.ended) {
      call(onCompleted, data)
      disconnect()
    }
  }

  function follow(now, over) {
    const was = connected.value
    status.value = now
    transport.value = over
    connected.value = ['live', 'polling'].includes(now) || (was && now === 'catching-up' && over !== null)
    if (connected.value && !was) events.tell('connect')
    if (was && !connected.value) events.tell('disconnect', now)
    if (now === 'gone') call(onError, { event: 'join-session', error: { code: 'SESSION_NOT_FOUND' } })
  }

  // What no socket can carry goes by HTTP where there is a call for it.
  function emit(name, data = {}) {
    const id = typeof data === 'string' ? data : (data.sessionId ?? feed.sessionId)
    if (name === 'join-session') return emitJoinSession(id)
    if (feed.send(name, typeof data === 'string' ? { sessionId: id } : { sessionId: id, ...data })) return
    if (name === 'upload-cancel') {
      env
        .fetch(`/api/upload/cancel/${encodeURIComponent(id)}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ ...data, sessionId: undefined }),
        })
        .catch(() => call(onError, { event: name, error: { code: 'NETWORK_ERROR' } }))
    } else if (name === 'upload-progress') feed.nudge()
  }

  function emitJoinSession(id) {
    if (id !== feed.sessionId) progress.value = startProgress()
    feed.join(id)
    state.value = feed.state
  }

  const nudge = () => feed.nudge()

  function connect() {
    if (socket.value !== null) return
    socket.value = face
    env.addEventListener('online', nudge)
    env.addEventListener('offline', nudge)
    env.addEventListener('pageshow', nudge)
    feed.start()
  }

  function disconnect() {
    if (socket.value === null) return
    for (const name of ['online', 'offline', 'pageshow']) env.removeEventListener(name, nudge)
    feed.stop(feed.state.ended ? 'ended' : 'idle')
    socket.value = null
  }

  if (getCurrentScope()) onScopeDispose(disconnect)
  return {
    socket,
    connected,
    progress,
    onProgress,
    onCompleted,
    onError,
    connect,
    disconnect,
    emitJoinSession,
    status,
    transport,
    state,
    nudge,
  }
}
