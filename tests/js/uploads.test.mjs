import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Uploads } from '../../static/js/uploads.js'
import { Clock, picked, settle, Uplink } from './fakes.mjs'
import { file, ID } from './messages.mjs'

function queue() {
  const clock = new Clock()
  const uplink = new Uplink()
  const told = { pauses: [], homeless: 0, unheard: 0 }
  const env = {
    location: { protocol: 'http:', host: 'station:8005' },
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    random: () => 0.5,
    now: () => clock.now,
    httpStack: uplink.stack,
    library: async () => globalThis.tus,
  }
  const uploads = new Uploads(env, {
    entry: () => {},
    pause: async ({ fileId }) => {
      told.pauses.push(fileId)
      await told.answer
    },
    unheard: () => {
      told.unheard += 1
    },
    homeless: () => {
      told.homeless += 1
    },
  })
  const add = (...names) => {
    uploads.add(
      ID,
      names.map((name) => ({ file: picked(name), fileId: name })),
    )
    return settle()
  }
  const key = (name) => uploads.list().find((entry) => entry.name === name).key
  const of = (name) => uplink.open.find(({ url }) => url === `/files/${name}`)
  const patches = () => uplink.requests.filter(({ method }) => method === 'PATCH').length
  // What a restarted or reconnected upload asks first.
  const stand = async (offset = '0') => {
    for (const request of uplink.requests.filter(({ method, over }) => method === 'HEAD' && !over))
      request.answer(200, { 'Upload-Offset': offset, 'Upload-Length': '1000' })
    await settle()
  }
  return {
    clock,
    uplink,
    uploads,
    told,
    add,
    key,
    of,
    patches,
    stand,
    phases: () =>
      uploads
        .list()
        .map(({ phase }) => phase)
        .join(' '),
    first: () => uploads.list()[0],
  }
}

const failing = async (request, ...refusal) => {
  request.refuse(...refusal)
  await settle()
}

test('three files at most are sent at once, the rest follow', async () => {
  const { uplink, add, of, phases } = queue()
  await add('a', 'b', 'c', 'd', 'e')
  assert.equal(phases(), 'sending sending sending queued queued')
  of('b').finish()
  await settle()
  assert.equal(phases(), 'sending sent sending sending queued')
  await failing(of('a'), 422, 'REJECTED')
  assert.equal(phases(), 'failed sent sending sending sending')
  assert.equal(uplink.open.length, 3)
})

test('a broken connection is tried again by itself, for ever, later each time', async () => {
  const { clock, uplink, add, first } = queue()
  await add('a')
  const waits = []
  for (let count = 0; count < 8; count += 1) {
    uplink.last.breakOff()
    await settle()
    assert.equal(first().phase, 'waiting')
    waits.push(first().retryAt - clock.now)
    await clock.pass(waits.at(-1))
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000])
})

test('what the station stored in between makes the next break a first one again', async () => {
  const { clock, uplink, uploads, add, first } = queue()
  await add('a')
  for (let count = 0; count < 4; count += 1) {
    uplink.last.breakOff()
    await clock.pass(15000)
  }
  uploads.heed([file('a', { status: 'uploading', uploadedBytes: 100 })])
  uploads.heed([file('a', { status: 'uploading', uploadedBytes: 200 })])
  uplink.last.breakOff()
  await settle()
  assert.equal(first().retryAt - clock.now, 500)
})

test('a wait that the station asked for is kept, and can be seen', async () => {
  const { clock, of, add, first } = queue()
  await add('a')
  await failing(of('a'), 503, 'TOO_MANY_CONNECTIONS', { headers: { 'Retry-After': '60' } })
  assert.deepEqual([first().retryAt - clock.now, first().problem.code], [60500, 'TOO_MANY_CONNECTIONS'])
})

test('a fault of the station is tried a few times, then by hand', async () => {
  const { clock, uplink, uploads, add, first, stand } = queue()
  await add('a')
  let tries = 1
  for (; first().phase !== 'failed'; tries += 1) {
    await failing(uplink.last, 500, 'SERVER_ERROR')
    await clock.pass(15000)
    await stand()
  }
  assert.deepEqual([tries - 1, first().problem.code], [5, 'SERVER_ERROR'])
  uploads.retry(first().key)
  assert.equal(first().phase, 'sending')
})

test('what somebody has to mend first is not tried again by itself', async () => {
  for (const code of ['CHECKSUM_MISMATCH', 'INSUFFICIENT_STORAGE', 'UNSUPPORTED_FORMAT']) {
    const { of, clock, add, first } = queue()
    await add('a')
    await failing(of('a'), 422, code)
    assert.deepEqual([first().phase, clock.timers.size], ['failed', 0])
  }
})

test('a file that cannot be read any more is not tried again', async () => {
  const { clock, uplink, uploads, patches, first } = queue()
  const gone = picked('a')
  const { slice } = gone
  gone.slice = (...range) =>
    Object.assign(slice.apply(gone, range), { arrayBuffer: () => Promise.reject(new Error('NotReadableError')) })
  uploads.add(ID, [{ file: gone, fileId: 'a' }])
  await settle()
  uplink.last.breakOff()
  await clock.pass(60000)
  assert.deepEqual([patches(), first().phase, first().problem.code], [1, 'failed', 'FILE_UNREADABLE'])
})

test('an answer that was lost is not sent twice', async () => {
  const { clock, uplink, add, patches, first, stand } = queue()
  await add('a')
  uplink.last.breakOff()
  await clock.pass(5000)
  await stand('1000')
  assert.deepEqual([patches(), first().phase], [1, 'sent'])
})

test('trying again now does not wait for the timer', async () => {
  const { clock, of, uploads, add, phases, key } = queue()
  await add('a')
  await failing(of('a'), 503, 'TOO_MANY_CONNECTIONS', { headers: { 'Retry-After': '60' } })
  uploads.retry(key('a'))
  assert.equal(phases(), 'sending')
  uploads.drop(key('a'))
  assert.equal(clock.timers.size, 0)
})

test('a lossy network gets fewer files at once, and more again when bytes flow', async () => {
  const { clock, uploads, uplink, add, of, phases, stand } = queue()
  await add('a', 'b', 'c', 'd', 'e')
  of('a').breakOff()
  await settle()
  assert.equal(uploads.line.pace.limit, 1)
  assert.equal(phases(), 'waiting sending sending queued queued', 'what runs goes on')
  of('b').finish()
  of('c').finish()
  await clock.pass(600)
  await stand()
  assert.equal(uploads.line.pace.limit, 3)
  of('d').breakOff()
  await settle()
  assert.equal(uploads.line.pace.limit, 1)
  await clock.pass(10000)
  uplink.open[0].progress(100)
  assert.equal(uploads.line.pace.limit, 2)
})

test('a stalled request is given up and counts as one that the network lost', async () => {
  const { clock, uplink, add, first, of } = queue()
  await add('a')
  await clock.pass(15000)
  of('a').progress(500)
  await clock.pass(19000)
  assert.equal(first().phase, 'sending')
  const request = uplink.last
  await clock.pass(1000)
  assert.deepEqual([first().phase, first().problem.code, request.aborted], ['waiting', 'STALLED', true])
})

test('a file that was lost says so until it moves again', async () => {
  const { clock, uplink, uploads, add, first, stand, told } = queue()
  await add('a')
  uplink.last.progress(500)
  await clock.pass(2000)
  assert.equal(first().still, false)
  await clock.pass(1000)
  assert.equal(first().still, true)
  const still = first()
  await clock.pass(10000)
  assert.equal(first(), still, 'one change, not one a second')
  await clock.pass(7000)
  assert.deepEqual([first().phase, first().problem.code, told.unheard], ['waiting', 'STALLED', 1])
  await clock.pass(500)
  assert.deepEqual([first().phase, first().problem.code, first().still], ['sending', 'STALLED', true])
  await stand()
  assert.equal(first().problem.code, 'STALLED', 'an answer is no byte')
  uplink.last.progress(100)
  assert.deepEqual([first().problem, first().still], [null, false])
  uplink.last.breakOff()
  await clock.pass(1000)
  assert.deepEqual([first().phase, first().problem.code, first().still], ['sending', 'NETWORK_ERROR', true])
  uploads.heed([file('a', { status: 'uploading', uploadedBytes: 100 })])
  uploads.heed([file('a', { status: 'uploading', uploadedBytes: 200 })])
  assert.deepEqual([first().problem, first().still, told.unheard], [null, false, 2])
})

const many = (count) => Array.from({ length: count }, (_, number) => `f${number}`)
const counted = (uploads) => {
  const count = {}
  for (const { phase } of uploads.list()) count[phase] = (count[phase] ?? 0) + 1
  return count
}

test('a lost network leaves alone what was not begun, and is tried by one file at a time', async () => {
  const { clock, uplink, uploads, add, stand } = queue()
  await add(...many(500))
  for (const request of uplink.open) request.breakOff()
  await settle()
  assert.deepEqual(counted(uploads), { waiting: 3, queued: 497 })
  assert.equal(clock.timers.size, 3)
  const before = uplink.requests.length
  await clock.pass(10000)
  assert.equal(uplink.requests.length, before + 1, 'the others wait for what becomes of it')
  assert.deepEqual(counted(uploads), { sending: 1, queued: 499 })
  const again = uploads.list()[1]
  assert.deepEqual([again.phase, again.problem.code, again.tries], ['queued', 'NETWORK_ERROR', 1])
  for (let probe = 0; probe < 5; probe += 1) {
    uplink.last.breakOff()
    await settle()
    assert.ok(uplink.requests.filter(({ over }) => !over).length <= 1)
    assert.equal(uploads.list().filter(({ tries }) => tries > 0).length, 3)
    await clock.pass(15000)
  }
  await stand()
  uplink.open[0].finish()
  await settle()
  await stand()
  assert.deepEqual(counted(uploads), { sent: 1, sending: 3, queued: 496 }, 'it got through, and took its time')
})

test('what goes on when the network is back are all of them', async () => {
  const { uplink, uploads, add, stand, clock } = queue()
  await add(...many(22))
  for (const request of uplink.open) request.breakOff()
  await settle()
  uploads.revive()
  assert.deepEqual([counted(uploads), clock.timers.size > 0], [{ sending: 1, queued: 21 }, true])
  await settle()
  await stand()
  uplink.open[0].finish()
  await settle()
  assert.equal(counted(uploads).sending, 2)
})

test('a queue that was held goes on when what was lost is given up', async () => {
  const { uplink, uploads, add, key } = queue()
  await add(...many(5))
  for (const request of uplink.open) request.breakOff()
  await settle()
  for (const name of ['f0', 'f1']) uploads.drop(key(name))
  assert.deepEqual(counted(uploads), { cancelled: 2, waiting: 1, queued: 2 })
  uploads.heed([file('f2', { status: 'completed' })])
  assert.deepEqual(counted(uploads), { cancelled: 2, sent: 1, sending: 1, queued: 1 })
})

test('what the station stores keeps a request alive, too', async () => {
  const { clock, uploads, add, first } = queue()
  await add('a')
  for (let bytes = 100; bytes < 500; bytes += 100) {
    uploads.heed([file('a', { status: 'uploading', uploadedBytes: bytes })])
    await clock.pass(15000)
  }
  assert.equal(first().phase, 'sending')
})

test('without a network nothing is tried before it is back', async () => {
  const { clock, uplink, uploads, add, first, phases } = queue()
  await add('a', 'b')
  for (const request of uplink.open) request.breakOff()
  await settle()
  uploads.rest()
  assert.deepEqual([first().problem.code, first().retryAt], ['OFFLINE', null])
  const before = uplink.requests.length
  await clock.pass(25000)
  assert.equal(uplink.requests.length, before)
  uploads.revive()
  await settle()
  assert.match(phases(), /sending/)
  assert.equal(first().problem, null)
})

test('a request that hangs when the network goes is not waited for', async () => {
  const { clock, uplink, uploads, add, first } = queue()
  await add('a')
  const request = uplink.last
  uploads.rest()
  await clock.pass(5000)
  assert.deepEqual([first().phase, first().problem.code, request.aborted], ['waiting', 'OFFLINE', true])
  uploads.revive()
  await settle()
  assert.equal(first().phase, 'sending')
})

test('a browser that is wrong about the network does not keep a file for ever', async () => {
  const { clock, uplink, uploads, add, first } = queue()
  uploads.rest()
  await add('a')
  uplink.last.breakOff()
  await settle()
  assert.deepEqual([first().problem.code, first().retryAt], ['OFFLINE', null])
  await clock.pass(30000)
  assert.equal(first().phase, 'sending')
})

test('a pause is told to the station before the request ends', async () => {
  const { uploads, told, add, of, key, phases } = queue()
  let answer
  told.answer = new Promise((resolve) => {
    answer = resolve
  })
  await add('a')
  const request = of('a')
  uploads.pause(key('a'))
  await settle()
  assert.deepEqual([told.pauses, request.aborted, phases()], [['a'], false, 'paused'])
  answer()
  await settle()
  assert.equal(request.aborted, true)
})

test('a pause that nobody hears is one nevertheless', async () => {
  const { uploads, told, add, of, key, phases } = queue()
  told.answer = Promise.reject(new Error('network'))
  told.answer.catch(() => {})
  await add('a')
  const request = of('a')
  await uploads.pause(key('a'))
  assert.deepEqual([request.aborted, phases()], [true, 'paused'])
})

test('what is paused waits until it is resumed, then goes on where it was', async () => {
  const { clock, uploads, uplink, add, key, phases, stand } = queue()
  await add('a', 'b', 'c', 'd')
  await uploads.pause(key('a'))
  await settle()
  assert.equal(phases(), 'paused sending sending sending')
  await clock.pass(15000)
  uploads.pause(key('d'))
  uploads.retry(key('a'))
  await settle()
  assert.equal(uplink.last.method, 'HEAD')
  await stand('400')
  assert.equal(uplink.last.headers['Upload-Offset'], '400')
})

test('a queued file is paused without a word, and resumed to the queue', async () => {
  const { uploads, told, add, key, phases } = queue()
  await add('a', 'b', 'c', 'd')
  uploads.pause(key('d'))
  assert.equal(phases(), 'sending sending sending paused')
  assert.deepEqual(told.pauses, [])
  uploads.retry(key('d'))
  assert.equal(phases(), 'sending sending sending queued')
})

test('a file that got through while it was being paused is sent', async () => {
  const { uploads, told, add, of, key, phases } = queue()
  let answer
  told.answer = new Promise((resolve) => {
    answer = resolve
  })
  await add('a')
  uploads.pause(key('a'))
  of('a').finish()
  await settle()
  answer()
  await settle()
  assert.equal(phases(), 'sent')
})

test('a pause from elsewhere stops the request, and a resume from elsewhere goes on', async () => {
  const { uploads, add, of, phases } = queue()
  await add('a')
  const request = of('a')
  uploads.heed([file('a', { status: 'uploading' })])
  uploads.heed([file('a', { status: 'paused' })])
  assert.deepEqual([phases(), request.aborted], ['paused', true])
  uploads.heed([file('a', { status: 'uploading' })])
  assert.equal(phases(), 'sending')
})

test('the echo of our own pause, however late, does not stop what was resumed meanwhile', async () => {
  const { uploads, add, key, phases } = queue()
  await add('a')
  uploads.heed([file('a', { status: 'uploading' })])
  await uploads.pause(key('a'))
  uploads.retry(key('a'))
  await settle()
  uploads.heed([file('a', { status: 'paused' })])
  assert.equal(phases(), 'sending')
  uploads.heed([file('a', { status: 'paused', uploadedBytes: 5 })])
  assert.equal(phases(), 'sending', 'an old state is no news')
  uploads.heed([file('a', { status: 'uploading' })])
  uploads.heed([file('a', { status: 'paused' })])
  assert.equal(phases(), 'paused', 'but the next one is')
})

test('a pause that the station tells by its answer is one', async () => {
  const { of, add, phases } = queue()
  await add('a')
  of('a').answer(204, { 'Upload-Offset': '300' })
  await settle()
  assert.equal(phases(), 'paused')
})

test('what someone else cancelled is not sent any further', async () => {
  const { uploads, add, of, phases } = queue()
  await add('a', 'b')
  const request = of('a')
  uploads.heed([file('a', { status: 'cancelled' }), file('b', { status: 'uploading' })])
  assert.deepEqual([phases(), request.aborted], ['cancelled sending', true])
})

test('a cancelled upload that is gone does not come back', async () => {
  const { uplink, of, add, phases } = queue()
  await add('a')
  uplink.opens = false
  of('a').refuse(410, 'UPLOAD_GONE')
  await settle()
  uplink.last.refuse(409, 'UPLOAD_CANCELLED')
  await settle()
  assert.equal(phases(), 'cancelled')
})

test('what the station has is sent, whether its answer came or not', async () => {
  const { clock, uploads, add, of, phases } = queue()
  await add('a', 'b')
  const request = of('a')
  of('b').breakOff()
  await settle()
  uploads.heed([file('a', { status: 'completed' }), file('b', { status: 'completed' })])
  uploads.dropAll()
  assert.deepEqual([phases(), request.aborted], ['sent sent', false])
  request.finish()
  await settle()
  assert.deepEqual([phases(), clock.timers.size], ['sent sent', 0])
})

test('a file that may not be tried again waits for nothing', async () => {
  const { clock, uploads, of, add, phases } = queue()
  await add('a')
  of('a').breakOff()
  await settle()
  uploads.heed([file('a', { status: 'failed', canRetry: false, error: { code: 'NETWORK_ERROR' } })])
  assert.deepEqual([phases(), clock.timers.size], ['failed', 0])
})

test("files of the same name and size are told apart by the station's numbers", async () => {
  const { uploads } = queue()
  uploads.add(ID, [
    { file: picked('a.mp4'), fileId: null },
    { file: picked('a.mp4'), fileId: null },
  ])
  // Another visitor's, which came at the same moment.
  uploads.heed([file('x', { originalName: 'a.mp4', status: 'uploading' })])
  await settle()
  assert.deepEqual(
    uploads.list().map(({ fileId }) => fileId),
    ['new-1', 'new-2'],
  )
})

test('a file that was turned away when it was named is found by its name and size', async () => {
  const { uplink, uploads, first } = queue()
  uplink.opens = false
  uploads.add(ID, [{ file: picked('a.mp4'), fileId: null }])
  await settle()
  uplink.last.refuse(415, 'UNSUPPORTED_FORMAT')
  await settle()
  uploads.heed([file('x', { originalName: 'a.mp4', status: 'failed', canRetry: false, error: {} })])
  assert.deepEqual([first().fileId, first().phase], ['x', 'failed'])
})

test('files that come too late for their session are given back', async () => {
  const { uplink, uploads, told } = queue()
  uplink.opens = false
  uploads.add(ID, [
    { file: picked('known'), fileId: 'known' },
    ...['a', 'b', 'c'].map((name) => ({ file: picked(name), fileId: null })),
  ])
  await settle()
  uplink.create(uplink.requests[0])
  uplink.requests[1].refuse(409, 'SESSION_CLOSED')
  await settle()
  assert.equal(told.homeless, 1)
  assert.deepEqual(
    uploads.evict().map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  assert.deepEqual(
    uploads.list().map(({ name }) => name),
    ['known'],
  )
})

test('a file of an earlier visit waits for being picked, and goes on where it was', async () => {
  const { uplink, uploads, phases, first } = queue()
  uploads.restore(ID, [
    { key: 'k', fileId: 'a', name: 'a', size: 1000, lastModified: 1, url: '/files/a', digest: null },
  ])
  await settle()
  assert.deepEqual([phases(), uplink.requests.length], ['wanted', 0])
  await uploads.pause('k')
  uploads.retry('k')
  assert.equal(phases(), 'wanted')
  uploads.give('k', picked('a'))
  await settle()
  assert.deepEqual(
    [first().key, first().phase, uplink.last.method, uplink.last.url],
    ['k', 'sending', 'HEAD', '/files/a'],
  )
})

test('dropping everything aborts and leaves no timer', async () => {
  const { clock, uplink, uploads, add, of, phases } = queue()
  await add('a', 'b', 'c', 'd')
  of('a').breakOff()
  await settle()
  uploads.dropAll()
  assert.equal(phases(), 'cancelled cancelled cancelled cancelled')
  assert.deepEqual([clock.timers.size, uplink.open.length], [0, 0])
  uploads.clear()
  assert.deepEqual(uploads.list(), [])
})

test('when the page goes nothing is cancelled, only stopped', async () => {
  const { clock, uplink, uploads, add, of, phases } = queue()
  await add('a', 'b')
  of('a').breakOff()
  await settle()
  uploads.stopAll()
  assert.deepEqual([phases(), clock.timers.size, uplink.open.length], ['waiting sending', 0, 0])
})
