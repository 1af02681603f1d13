import assert from 'node:assert/strict'
import { test } from 'node:test'
import { send, uploadPath } from '../../static/js/send.js'
import { Clock, picked, settle, Uplink } from './fakes.mjs'
import { ID } from './messages.mjs'

const library = async () => globalThis.tus
const location = { protocol: 'http:', host: 'station:8005' }

async function sending(more = {}, prepare = () => {}) {
  const clock = new Clock()
  const uplink = new Uplink()
  prepare(uplink)
  const heard = { urls: [], ids: [], sent: [], outcomes: [] }
  const entry = { sessionId: ID, name: 'a.mp4', file: picked('a.mp4'), fileId: 'a', url: null, ...more }
  const env = { location, library, now: () => clock.now, httpStack: uplink.stack, ...more.env }
  const request = send(env, entry, {
    url: (url) => heard.urls.push(url),
    fileId: (id) => heard.ids.push(id),
    sent: (bytes) => heard.sent.push(bytes),
    done: (outcome) => heard.outcomes.push(outcome),
  })
  await settle()
  return {
    uplink,
    request,
    ...heard,
    steps: () => uplink.requests.map(({ method, url }) => `${method} ${url}`).join(', '),
  }
}

test('a new file is named, told with its session and number, and sent in one request', async () => {
  const { uplink, urls, outcomes, sent, steps } = await sending()
  assert.deepEqual(Uplink.told(uplink.requests[0]), {
    sessionId: ID,
    filename: 'a.mp4',
    filetype: 'application/octet-stream',
    fileId: 'a',
  })
  assert.equal(steps(), 'POST /files/, PATCH /files/a')
  assert.deepEqual(urls, ['/files/a'])
  uplink.last.progress(400)
  uplink.last.finish()
  await settle()
  assert.deepEqual([sent, outcomes], [[0, 400, 1000], [{ problem: null }]])
})

test('an empty file needs no content', async () => {
  const { outcomes, steps } = await sending({ file: picked('a.mp4', 0) })
  assert.deepEqual([steps(), outcomes], ['POST /files/', [{ problem: null }]])
})

test('a file that is added learns its number from the answer', async () => {
  const { ids, uplink } = await sending({ fileId: null })
  assert.deepEqual(ids, ['new-1'])
  assert.equal('fileId' in Uplink.told(uplink.requests[0]), false)
})

test('it goes on from where the station stands', async () => {
  const { uplink, sent, outcomes } = await sending({ url: '/files/x' })
  assert.equal(uplink.last.method, 'HEAD')
  uplink.last.answer(200, { 'Upload-Offset': '600', 'Upload-Length': '1000' })
  await settle()
  assert.deepEqual([uplink.last.headers['Upload-Offset'], uplink.last.body.size], ['600', 400])
  uplink.last.finish()
  await settle()
  assert.deepEqual([sent, outcomes], [[600, 1000], [{ problem: null }]])
})

test('what arrived already is not sent again', async () => {
  const { uplink, outcomes, steps } = await sending({ url: '/files/x' })
  uplink.last.answer(200, { 'Upload-Offset': '1000', 'Upload-Length': '1000' })
  await settle()
  assert.deepEqual([steps(), outcomes], ['HEAD /files/x', [{ problem: null }]])
})

test('an upload that is gone is made anew, under the same number', async () => {
  for (const status of [404, 410]) {
    const { uplink, urls, steps } = await sending({ url: '/files/x' })
    uplink.last.answer(status)
    await settle()
    assert.equal(steps(), 'HEAD /files/x, POST /files/, PATCH /files/a')
    assert.deepEqual(urls, [null, '/files/a'])
    uplink.last.refuse(410, 'UPLOAD_GONE')
    await settle()
    assert.equal(uplink.requests.length, 3, 'but once a try')
  }
})

test('a busy station does not make it begin anew', async () => {
  for (const [status, code] of [
    [503, 'TOO_MANY_CONNECTIONS'],
    [500, 'SERVER_ERROR'],
    [423, 'UPLOAD_LOCKED'],
    [502, 'NETWORK_ERROR'],
  ]) {
    const { uplink, outcomes, steps } = await sending({ url: '/files/x' })
    uplink.last.answer(status, { 'Retry-After': '7' })
    await settle()
    assert.equal(steps(), 'HEAD /files/x')
    assert.deepEqual([outcomes[0].problem.code, outcomes[0].retryAfter], [code, 7000])
  }
})

test('a number that the station does not know is forgotten', async () => {
  const { uplink, ids } = await sending({}, (uplink) => {
    uplink.opens = false
  })
  uplink.last.refuse(404, 'FILE_NOT_FOUND')
  await settle()
  assert.equal('fileId' in Uplink.told(uplink.last), false)
  uplink.create(uplink.last)
  await settle()
  assert.deepEqual(ids, [null, 'new-1'])
})

test('a refusal says all that the station says', async () => {
  const { uplink, outcomes } = await sending()
  const body = { message: 'no', details: 'mp4', solution: 'do', requestId: 'r' }
  uplink.last.refuse(415, 'UNSUPPORTED_FORMAT', { body })
  await settle()
  assert.deepEqual(outcomes, [{ problem: { code: 'UNSUPPORTED_FORMAT', ...body }, retryAfter: null }])
})

test("an answer that is not the station's own has a code nevertheless", async () => {
  const { uplink, outcomes } = await sending()
  uplink.last.answer(500, {}, '<html>')
  await settle()
  assert.equal(outcomes[0].problem.code, 'SERVER_ERROR')
})

test('a broken connection is one', async () => {
  const { uplink, outcomes } = await sending()
  uplink.last.breakOff()
  await settle()
  assert.deepEqual(outcomes, [{ problem: { code: 'NETWORK_ERROR' }, retryAfter: null }])
})

test('a pause by the station is not undone by going on', async () => {
  const { uplink, outcomes } = await sending()
  uplink.last.answer(204, { 'Upload-Offset': '300' })
  await settle()
  assert.deepEqual([uplink.requests.length, outcomes], [2, [{ problem: null, paused: true }]])
})

test('after an abort nothing is sent or told', async () => {
  const { uplink, request, outcomes } = await sending()
  request.abort()
  assert.equal(uplink.last.aborted, true)
  uplink.last.breakOff()
  await settle()
  assert.deepEqual(outcomes, [])
})

test('an abort before the first request is heeded', async () => {
  const uplink = new Uplink()
  const none = () => assert.fail('told')
  const entry = { sessionId: ID, name: 'a', file: picked('a'), fileId: null, url: null }
  send({ location, library, now: () => 0, httpStack: uplink.stack }, entry, {
    url: none,
    fileId: none,
    sent: none,
    done: none,
  }).abort()
  await settle()
  assert.equal(uplink.requests.length, 0)
})

test('an address that leads elsewhere is never followed', async () => {
  for (const url of [
    'http://evil:8005/files/x',
    '//evil/files/x',
    '/api/x',
    '/files/../api/x',
    'javascript:1',
    'http://[',
  ]) {
    assert.equal(uploadPath({ location }, url), null, url)
    const { uplink } = await sending({ url })
    assert.equal(uplink.requests[0].method, 'POST')
  }
  assert.equal(uploadPath({ location }, 'http://station:8005/files/x'), '/files/x')
  const { uplink, outcomes } = await sending({}, (uplink) => {
    uplink.create = (request) => request.answer(201, { Location: 'http://evil/files/x' })
  })
  assert.deepEqual([uplink.requests.length, outcomes[0].problem.code], [1, 'SERVER_ERROR'])
})

test('a library that does not come is a broken connection', async () => {
  const library = () => Promise.reject(new Error('did not come'))
  const { outcomes, uplink } = await sending({ env: { library } })
  assert.deepEqual([outcomes[0].problem.code, uplink.requests.length], ['NETWORK_ERROR', 0])
})

test('an address whose end was cut off with its answer is the fault of the line', async () => {
  const { steps, outcomes, urls } = await sending({}, (uplink) => {
    uplink.create = (request) => request.answer(201, { Location: '/files/', 'Upload-Offset': '0' })
  })
  assert.deepEqual([steps(), urls], ['POST /files/', [null]])
  assert.equal(outcomes[0].problem.code, 'NETWORK_ERROR')
})
