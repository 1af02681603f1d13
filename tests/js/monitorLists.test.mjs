import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectScope, shallowRef } from '../../static/vendor/vue.runtime.esm-browser.prod.js'
import { cancelSession, deleteFile, fetchOverview, fetchSession, forgetLetters, sendAgain } from '../../static/js/monitor/api.js'
import { countsOf, useOrders } from '../../static/js/monitor/letters.js'
import { Distribution } from '../../static/js/monitor/overview.js'
import { Pages } from '../../static/js/monitor/pages.js'
import { useAsked, useOrder } from '../../static/js/monitor/useLists.js'
import { useMonitor } from '../../static/js/monitor/useMonitor.js'
import { useSession } from '../../static/js/monitor/useSession.js'
import { settle } from './fakes.mjs'
import { ID, snapshot } from './messages.mjs'
import { overviewOf, station } from './monitoring.mjs'

function paged(answers) {
  const asked = []
  const states = []
  const waiting = []
  const fetch = (what) => {
    asked.push(what)
    if (answers) return answers(what)
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }
  const pages = new Pages(fetch, 'files', (state) => states.push(state), 2)
  return { pages, asked, states, waiting }
}

test('a list grows by pages and is read again as far as it is shown', async () => {
  const all = [1, 2, 3, 4, 5]
  const { pages, asked } = paged(async ({ before, limit }) => {
    const start = before ?? 0
    return { files: all.slice(start, start + limit), next: start + limit < all.length ? start + limit : null }
  })
  await pages.ask({ q: 'x' })
  await pages.more()
  assert.deepEqual(pages.state.rows, [1, 2, 3, 4])
  await pages.refresh()
  assert.deepEqual(asked.at(-1), { q: 'x', limit: 4 })
  assert.deepEqual(pages.state.rows, [1, 2, 3, 4])
  await pages.more()
  await pages.more()
  assert.deepEqual(pages.state.rows, all)
  assert.equal(asked.length, 4, 'there was nothing more to ask for')
})

/** As the station gives them: at most 200 at a time, if there is no hurry. */
function many(count) {
  const all = Array.from({ length: count }, (_, number) => number)
  const { pages, asked } = paged(async ({ before = 0, limit }) => {
    assert.ok(limit <= 200)
    return { files: all.slice(before, before + limit), next: before + limit < all.length ? before + limit : null }
  })
  return { all, pages, asked }
}

test('a list that is longer than the station gives at once is read again in pieces', async () => {
  const { all, pages, asked } = many(600)
  await pages.ask({ q: 'x' }, 450)
  assert.deepEqual(pages.state.rows, all.slice(0, 450))
  all[0] = 'changed'
  all[449] = 'changed too'
  asked.length = 0
  await pages.refresh()
  assert.deepEqual(pages.state.rows, all.slice(0, 450))
  assert.deepEqual(asked, [
    { q: 'x', limit: 200 },
    { q: 'x', before: 200, limit: 200 },
    { q: 'x', before: 400, limit: 50 },
  ])
  await pages.more()
  assert.deepEqual(pages.state.rows, all.slice(0, 452))
})

test('a list that became shorter ends where it ends', async () => {
  const { all, pages } = many(600)
  await pages.ask({}, 450)
  all.length = 200
  await pages.refresh()
  assert.deepEqual([pages.state.rows, pages.state.next], [all, null])
})

test('a search that gives less than was asked for is not pressed', async () => {
  const { pages, asked } = paged(async () => ({ files: [1], next: 'further' }))
  await pages.ask({ q: 'rare' }, 450)
  assert.deepEqual([pages.state.rows, pages.state.next, asked.length], [[1], 'further', 1])
})

test('what changes while a list is read is read afterwards', async () => {
  const { pages, waiting } = paged()
  const first = pages.ask({})
  await pages.refresh()
  await pages.refresh()
  assert.equal(waiting.length, 1)
  waiting[0].resolve({ files: ['old'], next: null })
  await settle()
  assert.equal(waiting.length, 2)
  waiting[1].resolve({ files: ['new'], next: null })
  await first
  assert.deepEqual(pages.state.rows, ['new'])
  assert.equal(waiting.length, 2)
})

test('another question ends the reading of a long list', async () => {
  const { pages, waiting, asked } = paged()
  const first = pages.ask({ q: 'a' }, 450)
  const second = pages.ask({ q: 'b' })
  waiting[0].resolve({ files: Array(200).fill('a'), next: 'a' })
  waiting[1].resolve({ files: ['b'], next: null })
  await Promise.all([first, second])
  assert.deepEqual(pages.state.rows, ['b'])
  assert.equal(asked.length, 2)
})

test('an answer to an older question is dropped', async () => {
  const { pages, waiting } = paged()
  const first = pages.ask({ q: 'a' })
  const second = pages.ask({ q: 'ab' })
  waiting[1].resolve({ files: ['ab'], next: null })
  await second
  waiting[0].resolve({ files: ['a'], next: null })
  await first
  assert.deepEqual(pages.state.rows, ['ab'])
})

test('what fails is told, and what was there stays', async () => {
  const { pages, waiting } = paged()
  const first = pages.ask({})
  waiting[0].resolve({ files: [1], next: null })
  await first
  const second = pages.refresh()
  waiting[1].reject({ problem: { code: 'NETWORK_ERROR' } })
  await second
  assert.deepEqual(pages.state.rows, [1])
  assert.equal(pages.state.problem.code, 'NETWORK_ERROR')
})

test('what was taken away is gone at once', async () => {
  const { pages } = paged(async () => ({ files: [1, 2], next: null }))
  await pages.ask({})
  pages.drop((row) => row === 1)
  assert.deepEqual(pages.state.rows, [2])
})

test('the calls go where the station expects them', async () => {
  const far = station()
  far.answers['/api/'] = { status: 204 }
  await deleteFile(far.env, 'a/b')
  await sendAgain(far.env, 7)
  await sendAgain(far.env)
  await forgetLetters(far.env)
  far.answers['/api/'] = { body: { success: true } }
  await cancelSession(far.env, 's')
  await fetchSession(far.env, 's')
  assert.deepEqual(far.calls, [
    'DELETE /api/upload/file/a%2Fb',
    'POST /api/monitor/letters/7',
    'POST /api/monitor/letters',
    'DELETE /api/monitor/letters',
    'POST /api/upload/cancel/s',
    'GET /api/monitor/sessions/s',
  ])
})

test('a log that comes in pieces is read to its end', async () => {
  const far = station()
  const piece = (more, ...seqs) => ({ body: { session: {}, events: seqs.map((seq) => ({ seq })), more } })
  far.answers['/api/monitor/sessions/s?after=2'] = piece(true, 3, 4)
  far.answers['/api/monitor/sessions/s?after=4'] = piece(false, 5)
  far.answers['/api/monitor/sessions/s'] = piece(true, 1, 2)
  const told = await fetchSession(far.env, 's')
  assert.deepEqual(
    told.events.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  )
})

test('a call that fails says with which of the station’s errors', async () => {
  const far = station()
  const code = async (answer) => {
    far.answers['/api/'] = answer
    const asked = fetchOverview(far.env).then(
      () => null,
      ({ problem }) => problem.code,
    )
    await far.clock.pass(10001)
    return asked
  }
  assert.equal(await code({ status: 404, body: { error: 'FILE_NOT_FOUND' } }), 'FILE_NOT_FOUND')
  assert.equal(await code({ status: 401, body: {} }), 'UNAUTHORIZED')
  assert.equal(await code({ status: 502, body: {} }), 'SERVER_ERROR')
  assert.equal(await code(null), 'NETWORK_ERROR')
  assert.equal(await code('silence'), 'NETWORK_ERROR')
  assert.equal(far.clock.timers.size, 0)
})

/** The page's composable in a scope of its own, with its socket joined. */
function watching(far = station()) {
  const scope = effectScope()
  const at = scope.run(() => useMonitor(far.env))
  far.sockets[0].join()
  return { far, scope, at, socket: far.sockets[0] }
}

test('the overview is the newest that came', () => {
  const { at, socket, scope } = watching()
  socket.give('monitor-update', overviewOf({ uptime: 9 }))
  assert.equal(at.overview.value.uptime, 9)
  assert.equal(at.status.value, 'live')
  scope.stop()
})

test('lists are read again when something changed, but not with every change', async () => {
  const { far, at, socket, scope } = watching()
  assert.equal(at.changes.value, 1, 'what was asked before the station was heard may have missed something')
  await far.clock.pass(2000)
  for (const changes of [2, 3, 4]) socket.give('monitor-update', overviewOf({ changes }))
  assert.equal(at.changes.value, 2)
  await far.clock.pass(2000)
  assert.equal(at.changes.value, 3)
  await far.clock.pass(5000)
  assert.equal(at.changes.value, 3)
  socket.give('monitor-update', overviewOf({ changes: 4 }))
  assert.equal(at.changes.value, 3)
  scope.stop()
})

test('a deleted file is said once, whoever says it first', async () => {
  const { far, at, socket, scope } = watching()
  const gone = []
  scope.run(() => at.on('gone', ({ fileId }) => gone.push(fileId)))
  at.forget({ fileId: 'f', fileName: 'a.mp4', by: 'operator' })
  socket.give('file-deleted', { fileId: 'f', fileName: 'a.mp4', by: 'operator' })
  assert.deepEqual(gone, ['f'])
  assert.deepEqual(at.notice.value, { name: 'saidDeleted', values: { name: 'a.mp4' } })
  socket.give('file-deleted', { fileId: 'g', fileName: 'b.mp4', by: 'uploader' })
  assert.equal(at.notice.value.name, 'saidDeletedUploader')
  await far.clock.pass(8001)
  assert.equal(at.notice.value, null)
  scope.stop()
})

test('who is not the operator any more gets the form, once', async () => {
  const far = station()
  const { at, scope } = watching(far)
  at.failed({ code: 'NETWORK_ERROR' })
  assert.equal(far.reloads, 0)
  at.failed({ code: 'UNAUTHORIZED' })
  assert.equal(far.reloads, 1)
  scope.stop()
  assert.equal(far.clock.timers.size, 0)
  assert.equal(far.listeners.size, 0)
})

test('what happened while nothing was heard is asked for afterwards', async () => {
  const { far, at, socket, scope } = watching()
  socket.onclose({})
  await far.clock.pass(3000)
  assert.equal(at.status.value, 'offline')
  const before = at.changes.value
  far.sockets.at(-1).join()
  assert.equal(at.changes.value, before + 1)
  scope.stop()
})

test('what is stored is asked for again though nothing more changed: the station counts now and then', async () => {
  const { far, scope, at, socket } = watching()
  await far.clock.pass(2000)
  far.answers['/api/monitor/distribution'] = { body: { sizes: [], types: [], categories: [] } }
  scope.run(() => Distribution.setup({ at }))
  const asked = () => far.calls.filter((call) => call.includes('distribution')).length
  await settle()
  socket.give('monitor-update', overviewOf({ changes: 2 }))
  await settle()
  assert.equal(asked(), 2)
  await far.clock.pass(30000)
  assert.equal(asked(), 3)
  scope.stop()
  assert.equal(far.clock.timers.size, 0)
})

const told = (seq = 0, events = []) => ({
  session: snapshot({ files: [], seq, epoch: 'e', overallStatus: 'uploading' }),
  openedAt: 't',
  endedAt: null,
  events,
})

test('an opened session is followed over the same socket, and left', async () => {
  const { far, scope, at, socket } = watching()
  far.answers[`/api/monitor/sessions/${ID}`] = { body: told() }
  const inner = effectScope()
  const opened = inner.run(() => useSession(at, ID))
  await settle()
  assert.deepEqual(far.said.at(-1), { event: 'join-session', data: { sessionId: ID } })
  const data = { sessionId: ID, fileId: 'f', fileName: 'a.mp4', fileSize: 10, startTime: 't', attempt: 1 }
  socket.give('upload-started', data, 1)
  socket.give('upload-started', { ...data, sessionId: 'another' }, 2)
  assert.equal(opened.watched.value.events.length, 1)
  assert.equal(far.sockets.length, 1)
  inner.stop()
  assert.deepEqual(far.said.at(-1), { event: 'leave-session', data: { sessionId: ID } })
  scope.stop()
})

test('a gap in a session’s events is mended by reading it again', async () => {
  const { far, scope, at, socket } = watching()
  const path = `/api/monitor/sessions/${ID}`
  far.answers[path] = { body: told() }
  const opened = scope.run(() => useSession(at, ID))
  await settle()
  far.answers[path] = { body: told(2, [{ seq: 1 }, { seq: 2 }].map((each) => ({ ...each, event: 'x', data: {} }))) }
  socket.give('upload-cancelled', { sessionId: ID, fileId: 'f', reason: 'user' }, 2)
  assert.equal(opened.watched.value.gap, true)
  await far.clock.pass(400)
  assert.equal(opened.watched.value.gap, false)
  assert.equal(opened.watched.value.events.length, 2)
  scope.stop()
})

test('a session that nobody knows says so', async () => {
  const { far, scope, at } = watching()
  far.answers['/api/monitor/sessions/'] = { status: 404, body: { error: 'SESSION_NOT_FOUND' } }
  const opened = scope.run(() => useSession(at, 'none'))
  await settle()
  assert.equal(opened.problem.value.code, 'SESSION_NOT_FOUND')
  scope.stop()
})

const PLAIN = { state: 'all', q: '' }

/** A list of 300 sessions, at this address. */
function asking(hash) {
  const { far, scope, at } = watching()
  far.env.location.hash = hash
  const asked = []
  const fetch = async (env, { limit, before = 0, ...question }) => {
    asked.push(question)
    const upto = Math.min(before + limit, 300)
    return { sessions: Array(upto - before).fill('row'), next: upto < 300 ? upto : null }
  }
  return { far, scope, asked, opened: scope.run(() => useAsked(at, fetch, 'sessions', PLAIN)) }
}

test('what a list is asked stands in the address, and is asked again from there', async () => {
  const { far, scope, asked, opened } = asking('#/sessions')
  await settle()
  opened.put('state')('failed')
  opened.put('q')('a&b 生日')
  await settle()
  assert.deepEqual(asked, [PLAIN, { state: 'failed', q: 'a&b 生日' }])
  const hash = far.env.location.hash
  scope.stop()
  const again = asking(hash)
  await settle()
  assert.deepEqual(again.asked, [{ state: 'failed', q: 'a&b 生日' }])
  again.opened.put('state')('all')
  again.opened.put('q')('')
  await settle()
  assert.equal(again.far.env.location.hash, '#/sessions')
  again.scope.stop()
})

test('how much of a list is shown stands in the address, too', async () => {
  const { far, scope, opened } = asking('#/sessions?state=failed')
  await settle()
  for (let times = 0; times < 4; times += 1) await opened.more()
  const hash = far.env.location.hash
  assert.equal(hash, '#/sessions?state=failed&rows=250')
  scope.stop()
  const again = asking(hash)
  await settle()
  assert.equal(again.opened.list.value.rows.length, 250)
  again.opened.put('state')('all')
  await settle()
  assert.deepEqual([again.opened.list.value.rows.length, again.far.env.location.hash], [50, '#/sessions'])
  again.scope.stop()
})

test('an answer that comes after its part was left does not touch the address', async () => {
  const { far, scope, opened } = asking('#/sessions')
  await settle()
  const more = opened.more()
  scope.stop()
  far.env.location.hash = '#/files'
  await more
  assert.equal(far.env.location.hash, '#/files')
})

test('nonsense in the address is asked as it stands, in bounds', async () => {
  const rows = async (text) => {
    const { scope, asked, opened } = asking(`#/sessions?rows=${text}&q=${'x'.repeat(300)}&state=open&evil=1`)
    await settle()
    scope.stop()
    assert.deepEqual(asked[0], { state: 'open', q: 'x'.repeat(200) })
    return opened.list.value.rows.length
  }
  for (const text of ['', 'x', '-5', 'NaN', '0.5']) assert.equal(await rows(text), 50)
  assert.equal(await rows('60.9'), 60)
  assert.equal(await rows('1e99'), 300)
})

const lost = () => Promise.reject(Object.assign(new Error(), { problem: { code: 'NETWORK_ERROR' } }))

test('what an order failed with is said until the station is back', async () => {
  const { far, scope, at, socket } = watching()
  const order = scope.run(() => useOrder(at))
  const failed = { code: 'NETWORK_ERROR', what: 'deleting', values: { name: 'b.txt' } }
  assert.equal(await order.give(lost, 'deleting', { name: 'b.txt' }), false)
  assert.deepEqual(order.problem.value, failed)
  socket.onclose({})
  await far.clock.pass(3000)
  assert.equal(at.status.value, 'offline')
  assert.deepEqual(order.problem.value, failed)
  far.sockets.at(-1).join()
  await settle()
  assert.equal(order.problem.value, null)
  scope.stop()
})

test('what an order failed with is said until the next one is given, or something else is asked', async () => {
  const { scope, at } = watching()
  const order = scope.run(() => useOrder(at))
  await order.give(lost, 'cancelling')
  assert.equal(await order.give(async () => null, 'cancelling'), true)
  assert.equal(order.problem.value, null)
  await order.give(lost, 'cancelling')
  order.forget()
  assert.equal(order.problem.value, null)
  scope.stop()
})

test('a list that could not be had is asked for again: by the button, and once the station is heard', async () => {
  const far = station()
  const scope = effectScope()
  const at = scope.run(() => useMonitor(far.env))
  let calls = 0
  const fetch = async () => ((calls += 1) < 3 ? lost() : { sessions: ['row'], next: null })
  const { list, more } = scope.run(() => useAsked(at, fetch, 'sessions', PLAIN))
  await settle()
  await more()
  assert.deepEqual([calls, list.value.problem.code], [2, 'NETWORK_ERROR'])
  far.sockets[0].join()
  await settle()
  assert.deepEqual([list.value.rows, list.value.problem], [['row'], null])
  scope.stop()
})

test('how many messages there are is told with their list, before any overview', async () => {
  const { pages } = paged(async () => ({ files: [1], next: 1, dead: 60, waiting: 2 }))
  assert.deepEqual(countsOf(pages.state, null), { dead: undefined, waiting: undefined })
  await pages.ask({})
  assert.deepEqual(countsOf(pages.state, null), { dead: 60, waiting: 2 })
  assert.deepEqual(countsOf(pages.state, overviewOf({ letters: { dead: 9, waiting: 1 } })), { dead: 60, waiting: 1 })
})

/** What can be done with two messages, of which the station says this. */
function ordering(answer) {
  const { far, scope, at } = watching()
  far.answers['/api/monitor/letters'] = answer
  const list = shallowRef({ rows: [{ number: 1 }, { number: 2 }] })
  const asked = []
  const orders = scope.run(() => useOrders(at, list, () => asked.push('again')))
  return { scope, at, list, asked, orders }
}

test('a message that another operator dealt with is no failure', async () => {
  const { scope, at, asked, orders } = ordering({ status: 404, body: { error: 'NOT_FOUND' } })
  await orders.forget({ number: 1 })
  assert.deepEqual([orders.problem.value, at.notice.value.name, asked.length], [null, 'saidNoLetter', 1])
  scope.stop()
})

test('what an order failed with is said no more once something else is asked', async () => {
  const { scope, at, orders } = ordering({ status: 500 })
  await orders.again({ number: 1 })
  assert.equal(orders.problem.value.what, 'sendingAgain')
  assert.equal(at.notice.value, null)
  orders.ask({ number: 2 })
  assert.equal(orders.problem.value, null)
  scope.stop()
})

test('the question about a message goes with the message', async () => {
  const { scope, list, orders } = ordering({ status: 204 })
  orders.ask(list.value.rows[0])
  list.value = { rows: [{ number: 1 }] }
  await settle()
  assert.equal(orders.doomed.value.number, 1)
  list.value = { rows: [{ number: 2 }] }
  await settle()
  assert.equal(orders.doomed.value, null)
  scope.stop()
})
