import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectScope } from '../../static/vendor/vue.runtime.esm-browser.prod.js'
import { useUploads } from '../../static/js/useUploads.js'
import { Clock, pageOf, picked, settle } from './fakes.mjs'
import { advanced, completed, file, ID, lastWord, settled, started, SUMMARY } from './messages.mjs'

const CONFIG = {
  categories: ['personal'],
  allowedTypes: ['*'],
  maxFiles: 10,
  maxFileSize: 5000,
  checksum: 'none',
  uploadExpiry: 86400,
  pinRequired: false,
}

async function visit(sessionId = null, { config = {}, prepare = () => {}, from = undefined } = {}) {
  const world = pageOf(new Clock())
  if (from) for (const [name, text] of from.kept) world.kept.set(name, text)
  const { page, station } = world
  page.answers = {
    '/api/upload/config': () => ({ body: { ...CONFIG, ...config } }),
    '/api/upload/validate': () => ({ body: { files: [] } }),
    '/api/upload/session': ({ files }) => {
      station.files = files.map(({ name }) => file(name, { originalName: name }))
      return { status: 201, body: { sessionId: ID, files: files.map(({ name }) => ({ fileId: name })) } }
    },
    '/api/upload/pause/': () => ({ body: {} }),
    '/api/upload/complete/': () => ({ body: {} }),
    '/api/upload/cancel/': () => ({ body: {} }),
  }
  prepare(world)
  const scope = effectScope()
  const at = scope.run(() => useUploads(sessionId, world.env))
  await world.clock.pass(100)
  const phases = () => at.list.value.map(({ phase }) => phase).join(' ')
  const called = (path) => page.calls.filter(([, url]) => url.startsWith(path)).length
  return { ...world, at, phases, called, end: () => scope.stop() }
}

async function sending(...names) {
  const visited = await visit()
  await visited.at.choose(names.map((name) => picked(name)))
  visited.at.send()
  await visited.clock.pass(100)
  return visited
}

function finish({ station }) {
  station.tell(settled)
  station.summary = SUMMARY
  station.last = lastWord(station.log.length)
  station.push(station.last)
}

test('files are chosen, sent, watched and done, and nothing of it is remembered', async () => {
  const visited = await sending('a', 'b')
  const { at, clock, station, uplink, page, kept } = visited
  assert.deepEqual([at.step.value, page.path, at.chosen.value.length], ['sending', `/s/${ID}`, 0])
  await clock.pass(1000)
  assert.match([...kept.values()].join(), /"name":"a"/)
  station.tell(started, 'a')
  station.push(advanced(1, 'a', 400))
  await clock.pass(50)
  assert.deepEqual([at.list.value[0].phase, at.list.value[0].progress, at.sum.value.progress], ['uploading', 40, 20])
  for (const request of uplink.open) request.finish()
  station.tell(completed, 'a')
  station.tell(started, 'b')
  station.tell(completed, 'b')
  finish(visited)
  await clock.pass(1000)
  assert.deepEqual([at.step.value, visited.phases(), at.busy.value], ['done', 'completed completed', false])
  assert.equal(kept.size, 0)
  at.again()
  assert.deepEqual([at.step.value, page.path], ['choose', '/'])
  visited.end()
  await clock.pass(0)
  assert.deepEqual([clock.timers.size, visited.listeners.get('beforeunload').size], [0, 0])
})

test('the category is asked for when there is more than one', async () => {
  const { at, page, clock } = await visit(null, { config: { categories: ['personal', 'scenic'] } })
  await at.choose([picked('a')])
  at.send()
  assert.deepEqual([at.page.asking, page.path], ['category', '/'])
  at.closeDialog()
  assert.equal(at.page.asking, null)
  at.send()
  at.confirmCategory('scenic')
  await clock.pass(100)
  assert.deepEqual([page.calls.at(-1)[2].category, at.step.value, at.page.asking], ['scenic', 'sending', null])
})

test('what will not go is named, and the rest can go', async () => {
  const { at } = await visit()
  await at.choose([picked('big', 5001), picked('good')])
  assert.deepEqual(
    at.refused.value.map(({ file: { name }, problem }) => [name, problem.code]),
    [['big', 'FILE_SIZE_EXCEEDED']],
  )
  assert.deepEqual(
    at.chosen.value.map(({ name }) => name),
    ['good'],
  )
  assert.equal(at.refused.value[0].problem.limit, 5000, 'how large it may be')
  at.dismiss()
  assert.deepEqual(
    at.notTaken.value.map(({ file: { name } }) => name),
    ['big'],
    'the end tells of it, too',
  )
  at.unchoose(at.chosen.value[0])
  assert.deepEqual([at.refused.value, at.chosen.value, at.page.preparing], [[], [], 0])
})

test('limits that cannot be had are asked for again by themselves', async () => {
  let down = true
  const { at, clock } = await visit(null, {
    prepare({ page }) {
      page.answers['/api/upload/config'] = () =>
        down ? { status: 503, body: { error: 'TOO_MANY_CONNECTIONS' } } : { body: CONFIG }
    },
  })
  assert.deepEqual([at.step.value, at.page.problem.code], ['loading', 'TOO_MANY_CONNECTIONS'])
  down = false
  await clock.pass(20000)
  assert.deepEqual([at.step.value, at.page.problem], ['choose', null])
})

test('a PIN is asked for before anything else, and again when it is too old', async () => {
  const { at, page, clock } = await visit(null, { config: { pinRequired: true } })
  assert.equal(at.step.value, 'pin')
  page.answers['/api/upload/pin'] = ({ pin }) =>
    pin === '1234' ? { status: 204 } : { status: 401, body: { error: 'PIN_WRONG' } }
  assert.equal(await at.givePin('1'), false)
  assert.deepEqual([at.step.value, at.page.problem.code], ['pin', 'PIN_WRONG'])
  assert.equal(await at.givePin('1234'), true)
  assert.deepEqual([at.step.value, at.page.problem], ['choose', null])
  await at.choose([picked('a')])
  page.answers['/api/upload/session'] = () => ({ status: 401, body: { error: 'PIN_REQUIRED' } })
  at.send()
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.chosen.value.length], ['pin', 1])
})

test('a session that cannot be opened is asked for again by itself, and at once when told to', async () => {
  const { at, page, clock, called, tell, end } = await visit(null, { config: { categories: ['a', 'b'] } })
  const opens = page.answers['/api/upload/session']
  page.answers['/api/upload/session'] = () => ({
    status: 503,
    body: { error: 'TOO_MANY_CONNECTIONS' },
    headers: { 'Retry-After': '30' },
  })
  await at.choose([picked('a')])
  at.send()
  at.confirmCategory('b')
  await settle()
  assert.deepEqual(
    [at.page.problem.code, at.page.opening, at.page.retryAt - clock.now],
    ['TOO_MANY_CONNECTIONS', false, 30500],
  )
  at.send()
  await settle()
  assert.deepEqual([called('/api/upload/session'), at.page.asking], [2, null])
  await clock.pass(30500)
  assert.equal(called('/api/upload/session'), 3)
  tell('online')
  await settle()
  assert.equal(called('/api/upload/session'), 4, 'the network is back')
  page.answers['/api/upload/session'] = opens
  await clock.pass(31000)
  assert.deepEqual([at.step.value, at.page.retryAt, at.page.problem], ['sending', null, null])
  assert.equal(page.calls.at(-1)[2].category, 'b')
  end()
  await clock.pass(0)
  assert.equal(clock.timers.size, 0)
})

test('a session for which nothing is chosen any more is not opened, nor one that is refused', async () => {
  const { at, page, clock, called } = await visit()
  page.answers['/api/upload/session'] = () => {
    throw new TypeError('Failed to fetch')
  }
  await at.choose([picked('a')])
  at.send()
  await settle()
  assert.equal(at.page.problem.code, 'NETWORK_ERROR')
  at.unchoose(at.chosen.value[0])
  await clock.pass(60000)
  assert.deepEqual([called('/api/upload/session'), at.page.retryAt, at.page.problem], [1, null, null])
  page.answers['/api/upload/session'] = () => ({ status: 507, body: { error: 'INSUFFICIENT_STORAGE' } })
  await at.choose([picked('a')])
  at.send()
  await clock.pass(60000)
  assert.deepEqual([called('/api/upload/session'), at.page.retryAt], [2, null])
  assert.equal(at.page.problem.code, 'INSUFFICIENT_STORAGE')
})

test('the phone that a kiosk invited chooses first, and adds to the open session', async () => {
  const { at, uplink, page, called, clock } = await visit(ID)
  assert.equal(at.step.value, 'choose')
  await at.choose([picked('a')])
  at.send()
  await clock.pass(100)
  assert.deepEqual([at.step.value, called('/api/upload/session'), uplink.open.length], ['sending', 0, 1])
  assert.equal(at.mine.value[0].fileId, 'new-1')
  at.finish()
  await clock.pass(100)
  assert.equal(page.calls.at(-1)[1], `/api/upload/complete/${ID}`)
})

test('what is chosen waits for its button when another phone begins first', async () => {
  const { at, clock, station } = await visit(ID)
  await at.choose([picked('a')])
  station.tell(started, 'other')
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.list.value.length], ['choose', 1])
  at.send()
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.list.value.length], ['sending', 2])
})

test('files that come too late are kept for another session', async () => {
  const visited = await visit(ID)
  const { at, clock, page } = visited
  await at.choose([picked('a')])
  finish(visited)
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.page.problem.code, page.path], ['choose', 'SESSION_CLOSED', '/'])
  at.send()
  await clock.pass(100)
  assert.deepEqual(
    at.mine.value.map(({ name, fileId }) => [name, fileId]),
    [['a', 'a']],
  )
})

test('so are those that a closed session turned away', async () => {
  const { at, clock, uplink } = await visit(ID)
  uplink.opens = false
  await at.choose([picked('a'), picked('b'), picked('c'), picked('d')])
  at.send()
  await clock.pass(100)
  uplink.requests[0].refuse(409, 'SESSION_CLOSED')
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.chosen.value.map(({ name }) => name).join('')], ['choose', 'abcd'])
})

test('after a reload the page knows what it was sending, and goes on with the same files', async () => {
  const before = await sending('a', 'b', 'c')
  before.uplink.open[0].finish()
  await before.clock.pass(100)
  before.tell('pagehide')
  before.end()
  const files = [
    file('a', { status: 'completed' }),
    ...['b', 'c'].map((name) => file(name, { originalName: name, status: 'paused', uploadedBytes: 300 })),
  ]
  const prepare = ({ station }) => {
    station.files = files
  }
  const { at, uplink, clock } = await visit(ID, { from: before, prepare })
  assert.deepEqual(
    at.wanted.value.map(({ name, uploaded }) => [name, uploaded]),
    [
      ['b', 300],
      ['c', 300],
    ],
  )
  await at.choose([picked('a'), picked('b'), picked('new')])
  await clock.pass(100)
  assert.deepEqual(uplink.requests.map(({ method, url }) => `${method} ${url}`).slice(0, 1), ['HEAD /files/b'])
  assert.deepEqual(
    at.wanted.value.map(({ name }) => name),
    ['c'],
  )
  assert.deepEqual(
    at.list.value.map(({ name }) => name),
    ['a.mp4', 'b', 'c', 'new'],
  )
  assert.deepEqual(
    at.refused.value.map(({ file: { name }, problem }) => [name, problem.code]),
    [['a', 'ALREADY_HERE']],
    'it has arrived before',
  )
  assert.deepEqual(at.notTaken.value, [], 'and is no loss')
})

/** The page anew, with what it was sending. */
async function reloaded(names, { status = 'paused', prepare = () => {} } = {}) {
  const before = await sending(...names)
  before.tell('pagehide')
  before.end()
  return visit(ID, {
    from: before,
    prepare(world) {
      world.station.files = names.map((name) => file(name, { originalName: name, status, uploadedBytes: 300 }))
      prepare(world)
    },
  })
}

const namesOf = (rows) => rows.map(({ name }) => name).join(' ')

test('a file that was changed takes the place of the old one, if one name means one file', async () => {
  const { at, clock, page, called } = await reloaded(['a', 'b'])
  await at.choose([picked('a', 999)])
  await clock.pass(100)
  assert.deepEqual(page.calls.at(-1), ['POST', `/api/upload/cancel/${ID}`, { fileId: 'a', reason: 'user' }])
  assert.equal(namesOf(at.wanted.value), 'b')
  await at.choose([picked('b', 998), picked('b', 997)])
  await clock.pass(100)
  assert.deepEqual([called('/api/upload/cancel/'), namesOf(at.wanted.value)], [1, 'b'], 'two files of one name')
})

test('where the station has put the changed file into the place of the old one, nothing is cancelled', async () => {
  const { at, clock, called, uplink } = await reloaded(['a'])
  uplink.opens = false
  await at.choose([picked('a', 1000, 99)])
  await clock.pass(100)
  uplink.last.answer(201, { Location: '/files/a', 'X-File-Id': 'a', 'Upload-Offset': '0' })
  await clock.pass(100)
  assert.deepEqual([called('/api/upload/cancel/'), at.wanted.value, at.mine.value.length], [0, [], 1])
  assert.deepEqual([at.list.value.length, at.list.value[0].entry], [1, at.mine.value[0].key])
})

test('right after a reload nothing is said to flow, and what another page sends is not asked for', async () => {
  const { at } = await reloaded(['a'], { status: 'uploading' })
  assert.deepEqual([at.wanted.value.length, at.list.value[0].phase], [1, 'paused'])
  let there = true
  const channel = () => ({
    postMessage() {
      if (there) this.onmessage({ data: { sends: ID } })
    },
    close() {},
  })
  const prepare = ({ env }) => Object.assign(env, { channel })
  const second = await reloaded(['a', 'b'], { status: 'pending', prepare })
  assert.deepEqual([second.at.wanted.value, second.phases()], [[], 'queued queued'])
  there = false
  second.tell('visibilitychange')
  await second.clock.pass(1000)
  assert.equal(namesOf(second.at.wanted.value), 'a b', 'it is gone')
})

test('on the first page what was left is offered, gone on with or forgotten', async () => {
  const before = await sending('a', 'b')
  before.tell('pagehide')
  before.end()
  const prepare = ({ page, station }) => {
    station.files = [file('a', { status: 'paused', uploadedBytes: 300 }), file('b', { status: 'completed' })]
    page.answers['/api/upload/progress/'] = () => ({ body: { files: station.files } })
  }
  const { at, clock, page, kept } = await visit(null, { from: before, prepare })
  const [left] = at.left.value
  assert.deepEqual({ ...left, at: 0 }, { sessionId: ID, at: 0, count: 1, stored: 300, total: 1000, names: ['a'] })
  delete page.answers['/api/upload/progress/']
  at.goOn(left)
  await clock.pass(100)
  assert.deepEqual([at.step.value, page.path, at.wanted.value.length, at.left.value], ['sending', `/s/${ID}`, 1, []])
  const other = await visit(null, { from: before, prepare })
  other.at.forget(other.at.left.value[0])
  assert.deepEqual([other.at.left.value, other.kept.size], [[], 0])
  assert.equal(kept.size, 1)
})

test('what was left has its place before the station has answered', async () => {
  const before = await sending('a', 'b')
  before.tell('pagehide')
  before.end()
  const prepare = ({ page }) => {
    page.answers['/api/upload/progress/'] = () => new Promise(() => {})
  }
  const { at } = await visit(null, { from: before, prepare })
  const [{ count, stored, total, names }] = at.left.value
  assert.deepEqual([count, stored, total, names], [2, null, 2000, ['a', 'b']])
})

test('what another page is just sending is not offered here', async () => {
  const before = await sending('a', 'b')
  before.tell('pagehide')
  const prepare = ({ page, env }) => {
    page.answers['/api/upload/progress/'] = () => ({ body: { files: [file('a', { status: 'uploading' })] } })
    env.channel = () => ({
      postMessage() {
        this.onmessage({ data: { sends: ID } })
      },
      close() {},
    })
  }
  const { at, clock, kept } = await visit(null, { from: before, prepare })
  await clock.pass(1000)
  assert.deepEqual([at.left.value, kept.size], [[], 1])
})

test('what is over or unknown is forgotten without a word, what cannot be asked is kept', async () => {
  const before = await sending('a')
  before.tell('pagehide')
  before.end()
  for (const [answer, size] of [
    [{ body: { files: [], summary: {} } }, 0],
    [{ status: 404, body: { error: 'SESSION_NOT_FOUND' } }, 0],
    [{ status: 503, body: {} }, 1],
  ]) {
    const prepare = ({ page }) => {
      page.answers['/api/upload/progress/'] = () => answer
    }
    const { at, kept } = await visit(null, { from: before, prepare })
    assert.deepEqual([at.left.value, kept.size], [[], size])
  }
})

test('leaving asks first while something is being sent', async () => {
  const { at, tell, clock } = await sending('a')
  const leave = () => {
    let asked = false
    tell('beforeunload', {
      preventDefault() {
        asked = true
      },
    })
    return asked
  }
  assert.equal(leave(), true)
  at.pauseAll()
  await clock.pass(100)
  assert.equal(leave(), false)
})

test('offline everything waits, and goes on at once when the network is back', async () => {
  const { at, uplink, page, tell, clock, phases } = await sending('a', 'b')
  page.online = false
  tell('offline')
  for (const request of uplink.open) request.breakOff()
  await clock.pass(100)
  assert.deepEqual([at.online.value, phases(), at.list.value[0].problem.code], [false, 'waiting waiting', 'OFFLINE'])
  tell('online')
  await clock.pass(100)
  assert.deepEqual(
    [at.online.value, uplink.requests.filter(({ over }) => !over).length],
    [true, 1],
    'one first: it has lost',
  )
})

test('pausing all tells the station, and resuming goes on', async () => {
  const { at, called, clock, uplink, phases } = await sending('a', 'b', 'c', 'd', 'e')
  at.pauseAll()
  await clock.pass(100)
  assert.deepEqual([called('/api/upload/pause/'), uplink.open.length, at.can.value.resumeAll], [3, 0, true])
  assert.equal(phases(), 'paused paused paused paused paused')
  at.resumeAll()
  await clock.pass(100)
  assert.equal(uplink.requests.filter(({ over }) => !over).length, 3)
})

const cancelledAtTheStation = ({ page }) =>
  page.calls.filter(([, url]) => url.startsWith('/api/upload/cancel/')).map(([, , { fileId }]) => fileId)

test('what is cancelled before the list of the station has come is cancelled there', async () => {
  const visited = await visit(null, {
    prepare({ station }) {
      station.up.websocket = 'silent'
    },
  })
  const { at, clock, uplink } = visited
  await at.choose([picked('a'), picked('b')])
  at.send()
  await clock.pass(100)
  const [row] = at.list.value
  assert.deepEqual([row.name, row.fileId, row.phase], ['a', null, 'uploading'])
  await at.cancel(row)
  await clock.pass(100)
  assert.deepEqual([cancelledAtTheStation(visited), uplink.open.length], [['a'], 1])
  visited.end()
})

async function addedAndCancelled() {
  const visited = await visit(ID)
  const { at, clock, uplink } = visited
  uplink.opens = false
  await at.choose([picked('a')])
  at.send()
  await clock.pass(100)
  await at.cancel(at.list.value[0])
  await clock.pass(100)
  assert.deepEqual([visited.phases(), cancelledAtTheStation(visited), uplink.last.over], ['cancelled', [], false])
  return visited
}

test('what the station hears of just then is cancelled there once it has a number', async () => {
  const visited = await addedAndCancelled()
  const { clock, uplink } = visited
  uplink.create(uplink.last)
  await clock.pass(100)
  assert.deepEqual([cancelledAtTheStation(visited), visited.phases(), uplink.open.length], [['new-1'], 'cancelled', 0])
})

test('what it then does not hear of is cancelled all the same', async () => {
  const visited = await addedAndCancelled()
  const { at, clock, uplink } = visited
  uplink.last.breakOff()
  await clock.pass(60_000)
  assert.deepEqual([cancelledAtTheStation(visited), visited.phases(), at.busy.value], [[], 'cancelled', false])
  assert.equal(uplink.requests.length, 1, 'and not sent again')
})

test('a cancel that the network swallows is told once more, and then to have failed', async () => {
  const visited = await sending('a')
  const { at, clock, page } = visited
  page.answers['/api/upload/cancel/'] = () => new Promise(() => {})
  const [row] = at.list.value
  at.cancel(row)
  await clock.pass(1000)
  at.cancel(row)
  assert.deepEqual([at.page.ordered, cancelledAtTheStation(visited)], [[row.key], ['a']], 'pressed twice, told once')
  await clock.pass(8000)
  assert.deepEqual([at.page.problem, cancelledAtTheStation(visited)], [null, ['a', 'a']])
  await clock.pass(2000)
  assert.deepEqual([at.page.problem.code, at.page.ordered], ['NETWORK_ERROR', []])
})

test('a cancel of which only the first is swallowed needs no second press', async () => {
  const visited = await sending('a')
  const { at, clock, page } = visited
  let told = 0
  page.answers['/api/upload/cancel/'] = () => ((told += 1) === 1 ? new Promise(() => {}) : {})
  at.cancel(at.list.value[0])
  await clock.pass(6000)
  assert.deepEqual([told, visited.uplink.open.length, at.page.problem, at.page.ordered], [2, 0, null, []])
})

test('a cancel that the station refuses is not told again', async () => {
  const visited = await sending('a')
  const { at, clock, page } = visited
  page.answers['/api/upload/cancel/'] = () => ({ status: 429, body: { error: 'RATE_LIMIT_EXCEEDED' } })
  at.cancel(at.list.value[0])
  await clock.pass(100)
  assert.deepEqual([at.page.problem.code, cancelledAtTheStation(visited)], ['RATE_LIMIT_EXCEEDED', ['a']])
})

test('cancelling all, and finishing, are under way until the station answers', async () => {
  const { at, clock, page } = await sending('a')
  for (const name of ['cancel', 'complete']) page.answers[`/api/upload/${name}/`] = () => new Promise(() => {})
  at.cancelAll()
  at.finish()
  at.finish()
  await clock.pass(9000)
  assert.deepEqual(at.page.ordered, ['cancelAll', 'finish'])
  assert.equal(page.calls.filter(([, url]) => url.startsWith('/api/upload/complete/')).length, 1)
  await clock.pass(2000)
  assert.deepEqual([at.page.ordered, at.page.problem.code], [[], 'NETWORK_ERROR'])
})

test('cancelling everything asks nothing more of the network', async () => {
  const { at, clock, uplink, phases } = await sending('a', 'b')
  at.askCancelAll()
  assert.equal(at.page.asking, 'cancelAll')
  await at.cancelAll()
  await clock.pass(100)
  assert.deepEqual([at.page.asking, uplink.open.length, at.busy.value], [null, 0, false])
  assert.doesNotMatch(phases(), /uploading/)
})

test('what was cancelled with the session is not offered to another one', async () => {
  const visited = await visit(ID)
  const { at, clock, uplink } = visited
  uplink.opens = false
  await at.choose(['a', 'b', 'c', 'd', 'e'].map((name) => picked(name)))
  at.send()
  await clock.pass(100)
  const cancelled = at.cancelAll()
  finish(visited)
  await cancelled
  await clock.pass(100)
  assert.deepEqual([at.step.value, at.chosen.value], ['done', []])
})

test('a session that is not there is gone, and one can begin anew', async () => {
  const { at, clock } = await visit('00000000-0000-4000-8000-000000000000')
  assert.equal(at.step.value, 'gone')
  at.again()
  await clock.pass(100)
  assert.equal(at.step.value, 'choose')
})

test('five hundred files are drawn once a frame, whatever comes', async () => {
  const names = Array.from({ length: 500 }, (_, number) => `f${number}`)
  const { at, clock, station } = await visit(ID, {
    config: { maxFiles: 1000 },
    prepare({ station }) {
      station.files = names.map((name) => file(name))
    },
  })
  const seen = new Set()
  station.tell(started, 'f0')
  for (let bytes = 1; bytes <= 200; bytes += 1) {
    station.push(advanced(1, 'f0', bytes))
    await clock.pass(1)
    seen.add(at.list.value)
  }
  assert.ok(seen.size <= 15, String(seen.size))
  await clock.pass(50)
  assert.equal(at.list.value[0].uploaded, 200)
  await settle()
})
