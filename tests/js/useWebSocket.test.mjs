import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectScope } from '../../static/vendor/vue.runtime.esm-browser.prod.js'
import { useWebSocket } from '../../static/js/useWebSocket.js'
import { Clock, Station } from './fakes.mjs'
import { advanced, completed, failed, file, ID, lastWord, settled, started, SUMMARY } from './messages.mjs'

function watch(sessionId = ID, prepare = () => {}) {
  const clock = new Clock()
  const station = new Station(clock)
  station.files = [file('a')]
  prepare(station)
  return { clock, station, use: useWebSocket(sessionId, station.env) }
}

function finish(station) {
  station.tell(settled)
  station.summary = SUMMARY
  station.last = lastWord(station.log.length)
  station.push(station.last)
}

test('it has the surface that components of the seed expect', () => {
  const { use } = watch()
  assert.deepEqual(use.progress.value, {
    overallStatus: 'pending',
    totalProgress: 0,
    completedFiles: 0,
    failedFiles: 0,
    currentFile: null,
    message: '',
  })
  assert.equal(use.socket.value, null)
  assert.equal(use.connected.value, false)
  for (const name of ['onProgress', 'onCompleted', 'onError']) assert.equal(use[name].value, null)
  for (const name of ['connect', 'disconnect', 'emitJoinSession']) assert.equal(typeof use[name], 'function')
  use.connect()
  for (const name of ['on', 'off', 'emit']) assert.equal(typeof use.socket.value[name], 'function')
  use.disconnect()
  assert.equal(use.socket.value, null)
})

test('progress is merged, told, and the end is told once before the hang-up', async () => {
  for (const up of [{}, { websocket: false }, { websocket: false, sse: false }]) {
    const { clock, station, use } = watch(ID, (station) => {
      Object.assign(station.up, up)
    })
    const told = []
    use.onProgress.value = (data) => told.push(data.overallStatus)
    use.onCompleted.value = (data) => told.push(`end ${data.overallStatus}`)
    use.connect()
    await clock.pass(100)
    assert.equal(use.connected.value, true)
    station.tell(started, 'a')
    station.files = [file('a', { status: 'uploading', uploadedBytes: 400, progress: 40 })]
    station.push(advanced(1, 'a', 400))
    await clock.pass(1000)
    assert.equal(use.progress.value.currentFile.progress, 40)
    station.tell(completed, 'a')
    finish(station)
    await clock.pass(1000)
    assert.deepEqual(told.slice(-2), ['completed', 'end completed'])
    assert.equal(told.filter((word) => word.startsWith('end')).length, 1)
    assert.deepEqual(
      [use.connected.value, use.socket.value, use.status.value, clock.timers.size],
      [false, null, 'ended', 0],
    )
    assert.equal(use.progress.value.currentFile.progress, 40)
  }
})

test('listeners come and go', async () => {
  const { clock, station, use } = watch()
  use.connect()
  const heard = []
  const listener = (data) => heard.push(data.fileId)
  use.socket.value.on('upload-started', listener)
  use.socket.value.on('connect', () => heard.push('connect'))
  await clock.pass(100)
  station.tell(started, 'a')
  await clock.pass(10)
  use.socket.value.off('upload-started', listener)
  station.tell(failed, 'a')
  station.tell(started, 'a')
  await clock.pass(10)
  assert.deepEqual(heard, ['connect', 'a'])
})

test('a listener that throws spoils neither the others nor the stream', async () => {
  const { clock, station, use } = watch()
  const thrown = []
  globalThis.reportError = (fault) => thrown.push(fault.message)
  use.connect()
  const heard = []
  use.socket.value
    .on('upload-started', () => {
      throw new Error('mine')
    })
    .on('upload-started', () => heard.push(1))
  await clock.pass(100)
  station.tell(started, 'a')
  station.tell(failed, 'a')
  await clock.pass(10)
  delete globalThis.reportError
  assert.deepEqual([heard, thrown, use.state.value.seq], [[1], ['mine'], 2])
})

test('errors reach onError: those that are told, and a session that is not there', async () => {
  const { clock, station, use } = watch()
  const codes = []
  use.onError.value = ({ error }) => codes.push(error.code)
  use.connect()
  await clock.pass(100)
  for (const socket of station.watchers)
    socket.give({ event: 'error', seq: 0, data: { event: 'x', error: { code: 'VALIDATION_ERROR' } } })
  use.emitJoinSession('00000000-0000-4000-8000-000000000000')
  await clock.pass(100)
  assert.equal(codes[0], 'VALIDATION_ERROR')
  assert.equal(codes.at(-1), 'SESSION_NOT_FOUND')
  assert.equal(use.status.value, 'gone')
})

test('a session may be joined later, and another after it', async () => {
  const { clock, station, use } = watch(null)
  use.connect()
  await clock.pass(100)
  use.emitJoinSession(ID)
  await clock.pass(100)
  assert.equal(use.state.value.sessionId, ID)
  use.emitJoinSession('00000000-0000-4000-8000-000000000000')
  assert.equal(use.state.value.sessionId, null)
  assert.deepEqual(station.asked, ['ws ', 'says join-session', 'says leave-session', 'says join-session'])
})

test('what is emitted goes over the socket, or by HTTP where there is a call for it', async () => {
  const { clock, station, use } = watch()
  use.connect()
  await clock.pass(100)
  use.socket.value.emit('upload-cancel', { fileId: 'a' })
  assert.equal(station.asked.at(-1), 'says upload-cancel')

  const other = watch(ID, (station) => {
    Object.assign(station.up, { websocket: false })
  })
  const posts = []
  const { fetch } = other.station.env
  other.station.env.fetch = (url, options) => {
    if (options?.method !== 'POST') return fetch(url, options)
    posts.push([url, JSON.parse(options.body)])
    return Promise.resolve({ ok: true })
  }
  other.use.connect()
  await other.clock.pass(100)
  other.use.socket.value.emit('upload-cancel', { fileId: 'a', reason: 'user' })
  assert.deepEqual(posts, [[`/api/upload/cancel/${ID}`, { fileId: 'a', reason: 'user' }]])
})

test('when its component goes, the connection goes', async () => {
  const clock = new Clock()
  const station = new Station(clock)
  const scope = effectScope()
  const use = scope.run(() => useWebSocket(ID, station.env))
  use.connect()
  await clock.pass(100)
  scope.stop()
  assert.deepEqual([use.socket.value, station.watchers.size, clock.timers.size], [null, 0, 0])
})
