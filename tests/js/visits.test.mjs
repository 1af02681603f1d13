import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectScope } from '../../static/vendor/vue.runtime.esm-browser.prod.js'
import { KIOSK } from '../../static/js/kioskStrings.js'
import { STRINGS } from '../../static/js/zh.js'
import { useKiosk } from '../../static/js/useKiosk.js'
import { Clock } from './fakes.mjs'
import { file, lastWord, settled, snapshot, SUMMARY } from './messages.mjs'

const CONFIG = { categories: ['personal', 'scenic'], kioskIdle: 90, pinRequired: false, contact: 'Ms Li' }

const numbers = new WeakMap()
const numbered = (call) => {
  if (!numbers.has(call)) numbers.set(call, (numbered.last = (numbered.last ?? 0) + 1))
  return numbers.get(call)
}

/** A station for kiosks: opens sessions, hands them over, and pushes to whoever watches; counts what is held. */
class Hall {
  constructor(clock) {
    Object.assign(this, { clock, opened: 0, files: [], over: false, pin: null, up: true, posts: [] })
    this.sockets = new Set()
    this.listeners = new Map()
    const hall = this
    this.env = {
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      random: () => 0.5,
      now: () => clock.now,
      moment: () => clock.now,
      location: { protocol: 'http:', host: 'station:8005' },
      addEventListener: (name, call) => this.listeners.set(`${name} ${numbered(call)}`, call),
      removeEventListener: (name, call) => this.listeners.delete(`${name} ${numbered(call)}`),
      fetch: (path, options) => this.answer(path, options),
      WebSocket: class {
        constructor() {
          hall.sockets.add(this)
          clock.setTimeout(() => (hall.up ? hall.welcome(this) : hall.drop(this)), 1)
        }
        send() {}
        close() {
          hall.sockets.delete(this)
        }
      },
    }
  }

  get id() {
    return `s${this.opened}`
  }

  message(made) {
    return JSON.stringify({ ...made, data: { ...made.data, sessionId: this.id } })
  }

  welcome(socket) {
    if (!this.sockets.has(socket)) return
    socket.onopen?.({})
    const data = { ...snapshot({ files: this.files }), category: 'personal', currentSeq: 0 }
    socket.onmessage?.({ data: this.message({ event: 'session-joined', seq: 0, data }) })
  }

  drop(socket) {
    if (this.sockets.delete(socket)) socket.onclose?.({ code: 1006 })
  }

  /** Nobody is told: the lines are dead, and new ones cannot be had. */
  cut() {
    this.up = false
    for (const socket of [...this.sockets]) this.drop(socket)
  }

  push(...messages) {
    for (const socket of [...this.sockets]) {
      for (const made of messages) if (this.sockets.has(socket)) socket.onmessage({ data: this.message(made) })
    }
  }

  /** A phone sends a file, all of it, and the session settles once it is completed. */
  send() {
    this.push(
      { event: 'upload-started', seq: 1, data: { fileId: 'a', fileName: 'a.mp4', fileSize: 1000, attempt: 1 } },
      { event: 'upload-completed', seq: 2, data: { fileId: 'a', fileName: 'a.mp4', fileSize: 1000, uploadPath: '/a' } },
    )
    this.files = [file('a', { status: 'completed', uploadedBytes: 1000 })]
  }

  settle() {
    this.over = true
    this.push(settled(3), lastWord(3))
  }

  async answer(path, { method = 'GET', body } = {}) {
    if (!this.up) throw new TypeError('Failed to fetch')
    if (method === 'POST') this.posts.push([path.split('/')[3], JSON.parse(body)])
    const [status, told] = this.told(path, JSON.parse(body ?? '{}'))
    const [text, json] = [async () => JSON.stringify(told), async () => told]
    return { ok: status < 400, status, headers: new Headers(), text, json }
  }

  told(path, body) {
    if (path.endsWith('/config')) return [200, { ...CONFIG, pinRequired: this.pin !== null }]
    if (path.endsWith('/pin')) {
      if (body.pin !== this.pin) return [401, { error: 'PIN_WRONG' }]
      this.pin = null
      return [200, null]
    }
    if (path.endsWith('/session')) {
      Object.assign(this, { opened: this.opened + 1, files: [], over: false })
      return [201, { sessionId: this.id, category: body.category }]
    }
    if (this.over) return [409, { error: 'SESSION_CLOSED' }]
    if (path.includes('/complete/')) {
      this.settle()
      return [200, { success: true }]
    }
    return [200, { url: `http://kiosk/s/${this.id}`, codeUrl: 'http://kiosk/j', code: '123456', watchers: 1 }]
  }

  get held() {
    return [this.clock.timers.size, this.sockets.size, this.listeners.size]
  }
}

function kiosk(category = 'personal', pin = null) {
  const clock = new Clock()
  const hall = new Hall(clock)
  hall.pin = pin
  const scope = effectScope()
  const at = scope.run(() => useKiosk(category, hall.env))
  return { clock, hall, scope, at }
}

test('a thousand visits leave nothing behind', async () => {
  const { clock, hall, scope, at } = kiosk()
  await clock.pass(2000)
  const held = hall.held
  for (let visit = 1; visit <= 1000; visit += 1) {
    assert.deepEqual([at.stage.value, hall.opened], ['ready', visit])
    hall.send()
    await clock.pass(1000)
    assert.equal(at.stage.value, 'receiving')
    at.done()
    await clock.pass(100)
    assert.equal(at.stage.value, 'summary')
    at.next()
    await clock.pass(2000)
    assert.deepEqual(hall.held, held)
  }
  scope.stop()
  assert.deepEqual(hall.held, [0, 0, 0])
})

test('left alone, a visit ends and the next begins', async () => {
  const { clock, hall, scope, at } = kiosk('scenic')
  await clock.pass(2000)
  hall.send()
  await clock.pass(75000)
  assert.equal(at.stage.value, 'idle')
  await clock.pass(20000)
  assert.equal(at.stage.value, 'summary')
  assert.deepEqual(at.state.value.summary, SUMMARY)
  await clock.pass(21000)
  assert.deepEqual([at.stage.value, hall.opened], ['ready', 2])
  const opened = hall.posts.filter(([what]) => what === 'session').map(([, body]) => body)
  assert.deepEqual(opened, Array(2).fill({ category: 'scenic', autoComplete: false }))
  scope.stop()
})

test('a category that the station no longer has gives way to its first', async () => {
  const { clock, hall, scope } = kiosk('gone')
  await clock.pass(2000)
  assert.equal(hall.posts[0][1].category, 'personal')
  scope.stop()
})

test('the code that is on the screen is told with every handover', async () => {
  const { clock, hall, scope, at } = kiosk()
  await clock.pass(1500)
  const before = at.handed.value
  await clock.pass(11000)
  const codes = hall.posts.filter(([what]) => what === 'handover').map(([, body]) => body)
  assert.ok(codes.length > 3, 'it is asked every few seconds')
  assert.deepEqual(codes, [{}, ...codes.slice(1).map(() => ({ code: '123456' }))])
  assert.equal(at.handed.value, before, 'nothing changed, so nothing is drawn')
  scope.stop()
})

test('without a network it says so, tries less and less often, and heals', async () => {
  const { clock, hall, scope, at } = kiosk()
  await clock.pass(2000)
  hall.up = false
  await clock.pass(60000)
  assert.deepEqual([at.away.value, at.stage.value, at.problem.value.code], [true, 'ready', 'NETWORK_ERROR'])
  hall.up = true
  for (const [name, call] of hall.listeners) if (name.startsWith('online')) call()
  await clock.pass(2000)
  assert.deepEqual([at.away.value, at.problem.value, hall.opened], [false, null, 1])
  scope.stop()
})

test('a station that answers again is seen again at once', async () => {
  const { clock, hall, scope, at } = kiosk()
  await clock.pass(2000)
  for (const away of [70000, 83000, 97000]) {
    hall.cut()
    await clock.pass(away)
    assert.deepEqual([at.away.value, at.status.value], [true, 'offline'])
    hall.up = true
    const asked = hall.posts.length
    while (hall.posts.length === asked) await clock.pass(50)
    await clock.pass(200)
    assert.equal(at.away.value, false)
  }
  scope.stop()
})

test('what is not seen is not said to be on its way', async () => {
  const { clock, hall, scope, at } = kiosk()
  await clock.pass(2000)
  hall.files = [file('a', { status: 'uploading', uploadedBytes: 10 })]
  hall.push({ event: 'upload-started', seq: 1, data: { fileId: 'a', fileName: 'a.mp4', fileSize: 1000, attempt: 1 } })
  await clock.pass(1000)
  assert.deepEqual([at.flowing.value, at.moving.value], [true, true])
  hall.cut()
  await clock.pass(9000)
  assert.deepEqual([at.flowing.value, at.moving.value], [true, false])
  scope.stop()
})

test('a request that never ends counts as failed', async () => {
  const { clock, hall, scope, at } = kiosk()
  const { fetch } = hall.env
  hall.env.fetch = (path, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  await clock.pass(12000)
  assert.equal(at.away.value, true)
  hall.env.fetch = fetch
  await clock.pass(20000)
  assert.deepEqual([at.away.value, at.stage.value], [false, 'ready'])
  scope.stop()
})

test('where a PIN is needed it is asked for once', async () => {
  const { clock, scope, at } = kiosk('personal', '2468')
  await clock.pass(1000)
  assert.equal(at.stage.value, 'pin')
  assert.equal(at.config.value.contact, CONFIG.contact)
  assert.equal(await at.givePin('1'), false)
  assert.equal(at.page.problem.code, 'PIN_WRONG')
  assert.equal(await at.givePin('2468'), true)
  await clock.pass(1000)
  assert.equal(at.stage.value, 'ready')
  scope.stop()
})

test('the kiosk speaks both languages, in the same places of each sentence', () => {
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
  assert.deepEqual(Object.keys(KIOSK.zh), Object.keys(KIOSK.en))
  for (const name of Object.keys(KIOSK.zh)) {
    assert.deepEqual(places(KIOSK.zh[name]), places(KIOSK.en[name]), name)
    assert.ok(KIOSK.zh[name].trim() && KIOSK.en[name].trim(), name)
    // A sentence of the page would be hidden by it without a word.
    assert.ok(!(name in STRINGS), name)
  }
})
