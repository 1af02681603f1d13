import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIFECYCLE } from '../../static/js/events.js'
import { Feed } from '../../static/js/transports.js'
import { Clock, dice, Station } from './fakes.mjs'
import { advanced, completed, file, ID, lastWord, settled, started, SUMMARY } from './messages.mjs'

function watch(prepare = () => {}, options = {}) {
  const clock = new Clock()
  const station = new Station(clock, options)
  station.files = [file('a')]
  prepare(station)
  const heard = []
  const states = []
  const feed = new Feed(station.env, {
    onMessage: (message) => heard.push(message),
    onStatus: (status, transport) => states.push(`${status} ${transport ?? '-'}`),
    ...options,
  })
  const numbers = () => heard.filter(({ event }) => LIFECYCLE.includes(event)).map(({ seq }) => seq)
  return { clock, station, heard, states, feed, numbers }
}

const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1)

function finish(station) {
  station.tell(settled)
  station.summary = SUMMARY
  station.last = lastWord(station.log.length)
  station.push(station.last)
}

test('a socket is tried first, and told where to join', async () => {
  const { clock, station, feed, states, heard } = watch()
  feed.start(ID)
  await clock.pass(100)
  assert.deepEqual(station.asked, [`ws sessionId=${ID}`])
  assert.deepEqual(states, ['connecting -', 'live websocket'])
  assert.equal(heard[0].event, 'session-joined')
})

test('a feed that has stopped only learns what is next: it starts when it is told to', async () => {
  const { clock, station, feed } = watch()
  feed.start(ID)
  await clock.pass(100)
  finish(station)
  await clock.pass(100)
  feed.join('00000000-0000-4000-8000-000000000000')
  await clock.pass(100)
  assert.deepEqual([feed.status, feed.state.sessionId, station.asked.length], ['ended', null, 1])
  feed.join(ID)
  feed.start()
  await clock.pass(100)
  assert.deepEqual([feed.status, station.asked.length], ['ended', 2])
})

test('events come through once, and the feed ends with the last word', async () => {
  const { clock, station, feed, states, numbers } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.tell(started, 'a')
  station.push(advanced(1, 'a', 500))
  station.tell(completed, 'a')
  finish(station)
  await clock.pass(100)
  assert.deepEqual(numbers(), [1, 2, 3])
  assert.deepEqual([feed.status, states.at(-1), clock.timers.size, station.watchers.size], ['ended', 'ended -', 0, 0])
})

test('a socket that does not open within three seconds gives way to server-sent events', async () => {
  const { clock, station, feed, states } = watch((station) => {
    station.up.websocket = 'silent'
  })
  feed.start(ID)
  await clock.pass(2990)
  assert.deepEqual(states, ['connecting -'])
  await clock.pass(100)
  assert.equal(states.at(-1), 'live sse')
  assert.equal(station.watchers.size, 1)
})

test('without socket and stream, polling serves', async () => {
  const { clock, station, feed, states, numbers } = watch((station) => {
    Object.assign(station.up, { websocket: false, sse: false })
  })
  feed.start(ID)
  await clock.pass(100)
  assert.equal(states.at(-1), 'polling polling')
  station.tell(started, 'a')
  station.files = [file('a', { status: 'uploading', uploadedBytes: 300, progress: 30 })]
  await clock.pass(1000)
  assert.deepEqual(numbers(), [1])
  assert.equal(feed.state.files[0].uploadedBytes, 300)
  station.files = [file('a', { status: 'completed', uploadedBytes: 1000, progress: 100 })]
  station.tell(completed, 'a')
  finish(station)
  await clock.pass(1000)
  assert.deepEqual(numbers(), [1, 2, 3])
  assert.equal(feed.status, 'ended')
})

test('a stream that a proxy holds back gives way to polling', async () => {
  const { clock, feed, states } = watch((station) => {
    Object.assign(station.up, { websocket: false, sse: 'held back' })
  })
  feed.start(ID)
  await clock.pass(6000)
  assert.equal(states.at(-1), 'polling polling')
})

test('a browser without WebSocket and EventSource polls', async () => {
  const { clock, station, feed, states } = watch((station) => {
    Object.assign(station.env, { WebSocket: undefined, EventSource: undefined })
  })
  feed.start(ID)
  await clock.pass(20000)
  assert.equal(states.at(-1), 'polling polling')
  assert.ok(station.asked.every((what) => what.startsWith('poll')))
})

test('when the better transport works again, it takes over', async () => {
  const { clock, station, feed, states, numbers } = watch((station) => {
    Object.assign(station.up, { websocket: false, sse: false })
  })
  feed.start(ID)
  await clock.pass(100)
  station.up.sse = true
  await clock.pass(6000)
  assert.equal(states.at(-1), 'live sse')
  station.tell(started, 'a')
  station.up.websocket = true
  await clock.pass(10000)
  assert.equal(states.at(-1), 'live websocket')
  assert.equal(station.watchers.size, 1)
  station.tell(completed, 'a')
  await clock.pass(100)
  assert.deepEqual(numbers(), [1, 2])
  assert.equal(station.asked.filter((what) => what.startsWith('sse') && what.includes('epoch')).length > 0, true)
})

test('looking for a better transport backs off', async () => {
  const { clock, station, feed } = watch(
    (station) => {
      station.up.websocket = false
    },
    { random: () => 0.99 },
  )
  feed.start(ID)
  await clock.pass(600000)
  const tries = station.asked.filter((what) => what.startsWith('ws')).length
  assert.ok(tries > 8 && tries < 20, String(tries))
})

test('a cut socket is opened again with the last number, and what was missed comes', async () => {
  const { clock, station, feed, states, numbers } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.tell(started, 'a')
  await clock.pass(10)
  station.cutAll()
  station.tell(completed, 'a')
  await clock.pass(2000)
  assert.equal(station.asked.at(-1), `ws sessionId=${ID}&lastSeq=1&epoch=e1`)
  assert.deepEqual(numbers(), [1, 2])
  assert.deepEqual(states.slice(-2), ['catching-up websocket', 'live websocket'])
})

test('a station that is away is waited for', async () => {
  const { clock, station, feed, states, numbers } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.up = { websocket: false, sse: false, polling: false }
  station.cutAll()
  await clock.pass(2000)
  assert.equal(states.at(-1), 'offline -')
  await clock.pass(60000)
  station.tell(started, 'a')
  station.up = { websocket: true, sse: true, polling: true }
  await clock.pass(16000)
  assert.equal(states.at(-1), 'live websocket')
  assert.deepEqual(numbers(), [1])
})

test('when the network comes back, nobody waits for the timer', async () => {
  const { clock, station, feed, states } = watch(
    (station) => {
      station.up = { websocket: false, sse: false, polling: false }
    },
    { random: () => 0.99 },
  )
  feed.start(ID)
  await clock.pass(40000)
  station.up = { websocket: true, sse: true, polling: true }
  feed.nudge()
  await clock.pass(10)
  assert.equal(states.at(-1), 'live websocket')
})

test('a station that asks for patience gets it', async () => {
  const { clock, station, feed } = watch((station) => {
    station.up = { websocket: false, sse: false, polling: 503 }
  })
  feed.start(ID)
  await clock.pass(59000)
  assert.equal(station.asked.length, 3)
  await clock.pass(3000)
  assert.equal(station.asked.length, 6)
})

test('an unknown session ends the watching, over every transport', async () => {
  for (const up of [{}, { websocket: false, sse: false, polling: 404 }]) {
    const { clock, station, feed } = watch((station) => {
      Object.assign(station.up, up)
    })
    feed.start(station.up.websocket ? 'f0000000-0000-4000-8000-000000000000' : ID)
    await clock.pass(5000)
    assert.equal(feed.status, 'gone')
    assert.equal(clock.timers.size, 0)
  }
})

test('a missing number makes the feed read again', async () => {
  const { clock, station, feed, numbers } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.log.push(started(1, 'a'))
  station.tell(completed, 'a')
  await clock.pass(2000)
  assert.deepEqual(numbers(), [1, 2])
})

test('a number that never comes does not hold the feed for ever', async () => {
  const { clock, station, feed } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.missed = (since, epoch) => ({
    resync: false,
    events: epoch === null ? [] : [completed(2, 'a')],
    from: since ?? 2,
  })
  station.log.push(started(1, 'a'))
  station.tell(completed, 'a')
  await clock.pass(20000)
  assert.equal(feed.status, 'live')
  assert.equal(feed.state.seq, 2)
})

test('a new epoch starts a new numbering', async () => {
  const { clock, station, feed, numbers } = watch()
  feed.start(ID)
  await clock.pass(100)
  station.tell(started, 'a')
  await clock.pass(10)
  Object.assign(station, { epoch: 'e2', log: [] })
  station.cutAll()
  await clock.pass(2000)
  assert.deepEqual([feed.state.epoch, feed.state.seq], ['e2', 0])
  station.tell(started, 'a')
  await clock.pass(10)
  assert.deepEqual(numbers(), [1, 1])
})

test('a dead network is noticed by its silence', async () => {
  const { clock, station, feed, states } = watch()
  feed.start(ID)
  await clock.pass(100)
  await clock.pass(70000)
  assert.equal(states.at(-1), 'live websocket')
  station.up = { websocket: 'silent', sse: false, polling: false }
  await clock.pass(40000)
  assert.equal(states.at(-1), 'offline -')
})

test('a stream that lost something on the way is noticed by asking', async () => {
  const { clock, station, feed, numbers } = watch((station) => {
    station.up.websocket = false
  })
  feed.start(ID)
  await clock.pass(100)
  station.log.push(started(1, 'a'))
  await clock.pass(25000)
  assert.deepEqual(numbers(), [1])
})

test('a poll that hangs is given up', async () => {
  const { clock, station, feed, states } = watch((station) => {
    station.up = { websocket: false, sse: false, polling: true }
  })
  feed.start(ID)
  await clock.pass(100)
  station.up.polling = 'silent'
  await clock.pass(60000)
  assert.equal(states.at(-1), 'offline -')
})

test('a socket may be open before there is a session', async () => {
  const { clock, station, feed, states, heard } = watch()
  feed.start()
  await clock.pass(5000)
  assert.equal(states.at(-1), 'live websocket')
  feed.join(ID)
  await clock.pass(10)
  assert.deepEqual(station.asked, ['ws ', 'says join-session'])
  assert.equal(heard.at(-1).event, 'session-joined')
})

test('without a socket, joining waits for a session', async () => {
  const { clock, station, feed, states } = watch((station) => {
    station.up.websocket = false
  })
  feed.start()
  await clock.pass(500)
  assert.equal(states.at(-1), 'offline -')
  feed.join(ID)
  await clock.pass(10)
  assert.equal(states.at(-1), 'live sse')
})

test('messages of another session and nonsense are passed over', async () => {
  const { clock, station, feed, heard } = watch()
  feed.start(ID)
  await clock.pass(100)
  const [socket] = station.watchers
  const count = heard.length
  socket.give({ event: 'upload-started', seq: 1, data: { sessionId: 'other', fileId: 'x' } })
  for (const data of ['{', 'null', '[]', '{"event":1,"data":{}}', '{"event":"x","data":null}', new ArrayBuffer(4)])
    socket.onmessage({ data })
  assert.equal(heard.length, count)
  assert.equal(feed.status, 'live')
})

test('stopping leaves no timer and no connection behind', async () => {
  for (const up of [
    {},
    { websocket: false },
    { websocket: false, sse: false },
    { websocket: false, sse: false, polling: false },
  ]) {
    const { clock, station, feed } = watch((station) => {
      Object.assign(station.up, up)
    })
    feed.start(ID)
    await clock.pass(4321)
    feed.stop()
    await clock.pass(0)
    assert.deepEqual([clock.timers.size, station.watchers.size, feed.status], [0, 0, 'idle'])
  }
})

test('whatever is cut and blocked, every number comes exactly once and in order', async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = dice(seed)
    const { clock, station, feed, numbers } = watch(() => {}, { random })
    feed.start(ID)
    const count = 12
    for (let index = 0; index < count; index += 1) {
      station.up = {
        websocket: random() < 0.5 || (random() < 0.3 && 'silent'),
        sse: random() < 0.5,
        polling: random() < 0.8,
      }
      if (random() < 0.5) station.cutAll()
      station.tell(started, 'a', { attempt: index })
      if (random() < 0.6) station.push(advanced(index + 1, 'a', Math.floor(random() * 1000), {}))
      if (random() < 0.3) feed.nudge()
      await clock.pass(Math.floor(random() * 4000))
    }
    station.up = { websocket: random() < 0.5, sse: random() < 0.5, polling: true }
    finish(station)
    await clock.pass(60000)
    // The first join may find things already told: they are in its snapshot, not in the stream.
    assert.deepEqual(numbers(), upTo(count + 1).slice(-numbers().length), `seed ${seed}`)
    assert.equal(feed.status, 'ended', `seed ${seed}`)
    assert.equal(feed.state.seq, count + 1, `seed ${seed}`)
    assert.deepEqual(feed.state.summary, SUMMARY)
    assert.equal(clock.timers.size, 0, `seed ${seed}`)
  }
})
