import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Link } from '../../static/js/monitor/link.js'
import { overviewOf, station } from './monitoring.mjs'

const OVERVIEW = '/api/monitor/overview'

function linked(prepare = () => {}) {
  const far = station()
  const heard = []
  const statuses = []
  prepare(far)
  const link = new Link(far.env, {
    onMessage: (message) => heard.push(message),
    onStatus: (status) => statuses.push(status),
  })
  link.start()
  return { ...far, far, link, heard, statuses }
}

test('the operator joins over a socket and is told the overview', () => {
  const { sockets, heard, statuses, said } = linked()
  assert.equal(sockets[0].url, 'ws://station:8005/ws')
  sockets[0].join(overviewOf({ changes: 7 }))
  assert.deepEqual(said, [{ event: 'join-monitor', data: {} }])
  assert.deepEqual(statuses, ['connecting', 'live'])
  assert.equal(heard[0].data.changes, 7)
})

test('while there is no socket the overview is asked for, and the socket is tried again', async () => {
  const { clock, calls, sockets, heard, statuses } = linked((far) => {
    far.answers[OVERVIEW] = { body: overviewOf() }
  })
  sockets[0].onclose({})
  await clock.pass(100)
  assert.deepEqual(statuses, ['connecting', 'polling'])
  assert.equal(heard[0].event, 'monitor-update')
  await clock.pass(1000)
  sockets[1].join()
  assert.equal(statuses.at(-1), 'live')
  const asked = calls.length
  await clock.pass(9000)
  assert.equal(calls.length, asked, 'nobody asks while it is told')
})

test('a browser without sockets keeps asking', async () => {
  const { clock, calls, statuses } = linked((far) => {
    far.refuses = true
    far.answers[OVERVIEW] = { body: overviewOf() }
  })
  await clock.pass(20100)
  assert.deepEqual(statuses, ['connecting', 'polling'])
  assert.equal(calls.length, 5)
})

test('a station that is not there is said to be out of reach until it is heard', async () => {
  const { clock, sockets, statuses, far } = linked()
  sockets[0].onerror({})
  await clock.pass(100)
  assert.deepEqual(statuses, ['connecting', 'offline'])
  far.answers[OVERVIEW] = { body: overviewOf() }
  await clock.pass(6000)
  assert.equal(statuses.at(-1), 'polling')
})

test('a socket on which nothing comes any more is given up', async () => {
  const { clock, sockets, statuses, far } = linked()
  far.answers[OVERVIEW] = { body: overviewOf() }
  sockets[0].join()
  await clock.pass(9000)
  sockets[0].give('monitor-update', overviewOf())
  await clock.pass(9000)
  assert.equal(statuses.at(-1), 'live')
  await clock.pass(2000)
  assert.equal(sockets[0].closed, true)
  assert.deepEqual(statuses.slice(-2), ['connecting', 'polling'])
})

test('a socket that never opens is given up', async () => {
  const { clock, sockets } = linked((far) => {
    far.answers[OVERVIEW] = { body: overviewOf() }
  })
  await clock.pass(8100)
  assert.equal(sockets[0].closed, true)
})

test('what a socket says that was given up is not heard', async () => {
  const { clock, sockets, heard } = linked()
  sockets[0].onclose({})
  await clock.pass(1000)
  sockets[0].join()
  assert.deepEqual(heard, [])
})

test('who is not the operator any more is out, whatever the socket says', async () => {
  const { clock, sockets, statuses, calls } = linked((far) => {
    far.answers[OVERVIEW] = { status: 401, body: { error: 'UNAUTHORIZED' } }
  })
  sockets[0].onopen({})
  sockets[0].give('error', { event: 'join-monitor', error: { code: 'UNAUTHORIZED' } })
  await clock.pass(60000)
  assert.deepEqual(statuses, ['connecting', 'out'])
  assert.equal(calls.length, 1)
  assert.equal(sockets.length, 1)
})

test('a socket that was refused alone is no reason to be out', async () => {
  const { clock, sockets, statuses } = linked((far) => {
    far.answers[OVERVIEW] = { body: overviewOf() }
  })
  sockets[0].onopen({})
  sockets[0].give('error', { event: 'join-monitor', error: { code: 'UNAUTHORIZED' } })
  await clock.pass(100)
  assert.equal(statuses.at(-1), 'polling')
})

test('orders go over the socket once it was joined, and wait for nothing', () => {
  const { link, sockets, said } = linked()
  assert.equal(link.send('join-session', { sessionId: 'a' }), false)
  sockets[0].join()
  assert.equal(link.send('join-session', { sessionId: 'a' }), true)
  assert.deepEqual(said.at(-1), { event: 'join-session', data: { sessionId: 'a' } })
})

test('a network that comes back is tried at once', async () => {
  const { clock, link, sockets } = linked()
  for (let round = 0; round < 8; round += 1) {
    sockets.at(-1).onclose({})
    await clock.pass(8000)
  }
  const before = sockets.length
  sockets.at(-1).onclose({})
  link.nudge()
  await clock.pass(1)
  assert.equal(sockets.length, before + 1)
})

test('after the end nothing is tried and nothing is told', async () => {
  const { clock, link, sockets, statuses } = linked()
  sockets[0].join()
  link.stop()
  await clock.pass(60000)
  assert.equal(sockets[0].closed, true)
  assert.equal(sockets.length, 1)
  assert.equal(statuses.at(-1), 'live')
  assert.equal(clock.timers.size, 0)
})

test('what is no message changes nothing', () => {
  const { sockets, heard } = linked()
  sockets[0].join()
  for (const data of ['', '{', '[]', '{"event":5}', '{"event":"x","data":null}', 'null']) sockets[0].onmessage({ data })
  assert.equal(heard.length, 1)
})
