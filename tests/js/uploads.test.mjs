import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cancel, fetchConfig, fileAddress, openSession } from '../../static/js/api.js'
import { Uploads } from '../../static/js/uploads.js'
import { Clock } from './fakes.mjs'
import { file, ID } from './messages.mjs'

function queue() {
  const clock = new Clock()
  const requests = []
  class Request {
    constructor() {
      this.status = 0
      this.responseText = ''
      this.aborted = false
      requests.push(this)
    }
    open(method, url) {
      Object.assign(this, { method, url })
    }
    setRequestHeader() {}
    getResponseHeader(name) {
      return this.headers?.[name] ?? null
    }
    send(body) {
      this.body = body
    }
    abort() {
      this.aborted = true
      this.onabort()
    }
    answer(status, body = {}, headers = {}) {
      Object.assign(this, { status, headers, responseText: JSON.stringify(body) })
      this.onload()
    }
    breakOff() {
      this.status = 0
      this.onerror()
    }
  }
  const env = {
    XMLHttpRequest: Request,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    random: () => 0.5,
    now: () => clock.now,
  }
  let seen = []
  const uploads = new Uploads(env, (entries) => {
    seen = entries
  })
  const add = (...names) =>
    uploads.add(
      ID,
      names.map((name) => ({ file: Object.assign(new Blob(['x']), { name }), fileId: name })),
    )
  return {
    clock,
    requests,
    uploads,
    add,
    phases: () => seen.map(({ phase }) => phase).join(' '),
    problem: () => seen[0].problem?.code,
  }
}

test('three files at most are sent at once, the rest follow', () => {
  const { requests, add, phases } = queue()
  add('a', 'b', 'c', 'd', 'e')
  assert.equal(phases(), 'sending sending sending queued queued')
  requests[1].answer(201, { id: 'b' })
  assert.equal(phases(), 'sending sent sending sending queued')
  requests[0].answer(422, { error: 'REJECTED' })
  assert.equal(phases(), 'failed sent sending sending sending')
  assert.equal(requests.length, 5)
})

test('the address holds the name and the file id, whatever they are', () => {
  assert.equal(
    fileAddress(ID, 'a b/ü?#.mp4', 'x&y'),
    `/api/upload/session/${ID}/files/a%20b%2F%C3%BC%3F%23.mp4?fileId=x%26y`,
  )
  assert.equal(fileAddress(ID, '..', null), `/api/upload/session/${ID}/files/file`)
})

test('a broken connection is tried again by itself, later each time', async () => {
  const { clock, requests, add, phases } = queue()
  add('a')
  const waits = []
  for (let count = 1; count < 8; count += 1) {
    requests.at(-1).breakOff()
    assert.equal(phases(), 'waiting')
    const before = clock.now
    while (requests.length === count) await clock.pass(100)
    waits.push(clock.now - before)
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 5000, 5000, 5000])
})

test('a fault of the station is tried a few times, and then given up', async () => {
  const { clock, requests, add, phases, problem } = queue()
  add('a')
  for (let count = 1; count <= 5; count += 1) {
    requests.at(-1).answer(500, { error: 'SERVER_ERROR' })
    await clock.pass(10000)
  }
  assert.deepEqual([requests.length, phases(), problem()], [5, 'failed', 'SERVER_ERROR'])
})

test('a file that cannot be read any more is not tried again', async () => {
  const { clock, requests, uploads, phases, problem } = queue()
  const gone = {
    name: 'a',
    size: 5,
    slice: () => ({
      arrayBuffer: async () => {
        throw new Error('NotReadableError')
      },
    }),
  }
  uploads.add(ID, [{ file: gone, fileId: 'a' }])
  requests[0].breakOff()
  await clock.pass(60000)
  assert.deepEqual([requests.length, phases(), problem()], [1, 'failed', 'FILE_UNREADABLE'])
})

test('a retry sends the same file id again', () => {
  const { requests, uploads, add, phases } = queue()
  add('a')
  requests[0].answer(415, { error: 'UNSUPPORTED_FORMAT' })
  assert.equal(phases(), 'failed')
  uploads.retry(uploads.entries[0].key)
  assert.equal(requests[1].url, requests[0].url)
  requests[1].answer(201, { id: 'a' })
  assert.equal(phases(), 'sent')
})

test('trying again now does not wait for the timer', async () => {
  const { clock, requests, uploads, add } = queue()
  add('a')
  requests[0].answer(503, { error: 'TOO_MANY_CONNECTIONS' }, { 'Retry-After': '60' })
  await clock.pass(59000)
  assert.equal(requests.length, 1)
  uploads.retry(uploads.entries[0].key)
  assert.equal(requests.length, 2)
  assert.equal(clock.timers.size, 0)
})

test('when the station can be reached again, what failed for that goes on', async () => {
  const { clock, requests, uploads, add, phases } = queue()
  add('a', 'b', 'c')
  requests[2].answer(422, { error: 'REJECTED' })
  requests[0].breakOff()
  requests[1].breakOff()
  assert.equal(phases(), 'waiting waiting failed')
  uploads.revive()
  assert.equal(phases(), 'sending sending failed')
  await clock.pass(0)
  assert.equal(clock.timers.size, 0)
})

test('what somebody has to mend first is not tried again by itself', () => {
  for (const [status, error] of [
    [422, 'CHECKSUM_MISMATCH'],
    [507, 'INSUFFICIENT_STORAGE'],
  ]) {
    const { requests, uploads, add, phases } = queue()
    add('a')
    requests[0].answer(status, { error })
    assert.equal(phases(), 'failed')
    uploads.retry(uploads.entries[0].key)
    assert.equal(phases(), 'sending')
  }
})

test('an answer that was lost is not sent twice', async () => {
  const { clock, requests, add, phases } = queue()
  add('a')
  requests[0].breakOff()
  await clock.pass(5000)
  requests[1].answer(409, { error: 'UPLOAD_ALREADY_COMPLETED' })
  assert.equal(phases(), 'sent')
})

test('what someone else cancelled is not sent any further', () => {
  const { requests, uploads, add, phases } = queue()
  add('a', 'b')
  uploads.heed([file('a', { status: 'cancelled' }), file('b', { status: 'uploading' })])
  assert.equal(phases(), 'cancelled sending')
  assert.equal(requests[0].aborted, true)
})

test('a file that may not be tried again waits for nothing', async () => {
  const { clock, requests, uploads, add, phases } = queue()
  add('a')
  requests[0].breakOff()
  uploads.heed([file('a', { status: 'failed', canRetry: false, error: { code: 'NETWORK_ERROR' } })])
  assert.equal(phases(), 'failed')
  await clock.pass(60000)
  assert.equal(requests.length, 1)
})

test('a file that was added later is found by its name and size', () => {
  const { requests, uploads } = queue()
  const more = Object.assign(new Blob(['x'.repeat(1000)]), { name: 'a.mp4' })
  uploads.add(ID, [
    { file: more, fileId: null },
    { file: more, fileId: null },
  ])
  assert.ok(!requests[0].url.includes('fileId'))
  uploads.heed([
    file('x', { originalName: 'a.mp4', status: 'uploading' }),
    file('y', { originalName: 'a.mp4', totalBytes: 9 }),
  ])
  assert.deepEqual(
    uploads.entries.map(({ fileId }) => fileId),
    ['x', null],
  )
  requests[1].answer(201, { id: 'z' })
  assert.deepEqual(
    uploads.entries.map(({ fileId }) => fileId),
    ['x', 'z'],
  )
})

test('an answer that is not JSON is a fault of the server', () => {
  const { requests, add, problem } = queue()
  add('a')
  Object.assign(requests[0], { status: 502, responseText: '<html>' })
  requests[0].onload()
  assert.equal(problem(), 'SERVER_ERROR')
})

test('dropping everything aborts and leaves no timer', async () => {
  const { clock, requests, uploads, add, phases } = queue()
  add('a', 'b', 'c', 'd')
  requests[0].breakOff()
  uploads.dropAll()
  assert.equal(phases(), 'cancelled cancelled cancelled cancelled')
  assert.equal(clock.timers.size, 0)
  await clock.pass(10000)
  assert.equal(requests.length, 4)
  uploads.clear()
  assert.deepEqual(uploads.entries, [])
})

function answering(status, body) {
  const calls = []
  const fetch = async (url, options) => {
    calls.push([options.method ?? 'GET', url, options.body && JSON.parse(options.body)])
    return {
      ok: status < 400,
      status,
      json: async () => {
        if (body === null) throw new SyntaxError('no JSON')
        return body
      },
    }
  }
  return { calls, env: { fetch } }
}

test('calls say what they mean', async () => {
  const { calls, env } = answering(201, { sessionId: ID })
  await openSession(env, 'personal', [
    { name: 'a.mp4', size: 5, type: 'video/mp4', more: 1 },
    { name: 'b', size: 0 },
  ])
  await cancel(env, ID, 'a')
  await cancel(env, ID)
  assert.deepEqual(calls, [
    [
      'POST',
      '/api/upload/session',
      {
        category: 'personal',
        files: [
          { name: 'a.mp4', size: 5, type: 'video/mp4' },
          { name: 'b', size: 0, type: '' },
        ],
      },
    ],
    ['POST', `/api/upload/cancel/${ID}`, { fileId: 'a', reason: 'user' }],
    ['POST', `/api/upload/cancel/${ID}`, { reason: 'user' }],
  ])
})

test('a call that fails says with what code', async () => {
  const code = async (env) => fetchConfig(env).catch((fault) => fault.problem.code)
  assert.equal(await code(answering(404, { error: 'SESSION_NOT_FOUND' }).env), 'SESSION_NOT_FOUND')
  assert.equal(await code(answering(502, null).env), 'SERVER_ERROR')
  assert.equal(
    await code({
      fetch: async () => {
        throw new TypeError('Failed to fetch')
      },
    }),
    'NETWORK_ERROR',
  )
})
