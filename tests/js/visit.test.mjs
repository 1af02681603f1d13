import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outlook } from '../../static/js/outlook.js'
import { away, COUNTDOWN, flowing, secondsLeft, SUMMARY } from '../../static/js/stage.js'
import { newVisit, step, wish } from '../../static/js/visit.js'
import { dice } from './fakes.mjs'
import { file } from './messages.mjs'

const HALF = () => 0.5
const session = (sessionId, files = [], summary = null) => ({ sessionId, files, summary })
const failure = (code, sessionId = undefined) => ({ type: 'failed', sessionId, problem: { code }, random: HALF })
const handed = (sessionId, others = 0) => ({ type: 'handed', sessionId, others, handed: { url: 'u', code: '1' } })

/** Feeds events to a visit, and lets time pass in ticks of a second. */
class Screen {
  constructor() {
    this.visit = newVisit()
    this.now = 0
    this.stages = []
    this.tell({ type: 'tick', now: 0 })
  }

  tell(...events) {
    for (const event of events) {
      this.visit = step(this.visit, typeof event === 'string' ? { type: event } : event)
      if (this.stages.at(-1) !== this.visit.stage) this.stages.push(this.visit.stage)
    }
    return this
  }

  pass(seconds) {
    for (let second = 0; second < seconds; second += 1) this.tell({ type: 'tick', now: (this.now += 1000) })
    return this
  }

  call(what, ...answer) {
    assert.equal(wish(this.visit), what)
    return this.tell({ type: 'called', what }, ...answer)
  }

  open(sessionId = 's') {
    return this.call('open', { type: 'opened', sessionId, patience: 90000 }).call('handover', handed(sessionId))
  }

  see(files, summary = null, feed = 'live') {
    return this.tell({ type: 'seen', sessionId: 's', feed, state: session('s', files, summary) })
  }
}

const stored = (id) => file(id, { status: 'completed', uploadedBytes: 1000 })
const sending = (id, uploadedBytes) => file(id, { status: 'uploading', uploadedBytes })
const refused = (id) => file(id, { status: 'failed', canRetry: false })

test('a visit goes from the start to the start by itself', () => {
  const screen = new Screen().pass(1).open()
  assert.equal(screen.visit.stage, 'ready')
  screen.pass(5).call('handover', handed('s', 1))
  assert.equal(screen.visit.stage, 'connected')
  screen.see([sending('a', 10)]).see([sending('a', 900)]).see([stored('a')])
  screen.pass(69)
  assert.equal(screen.visit.stage, 'receiving')
  screen.pass(1)
  assert.deepEqual([screen.visit.stage, secondsLeft(screen.visit)], ['idle', COUNTDOWN / 1000])
  screen.tell('moreTime').pass(89)
  assert.equal(wish(screen.visit), 'handover')
  screen.pass(1).call('complete', { type: 'completed', sessionId: 's' }).see([stored('a')], { completedFiles: 1 })
  assert.deepEqual([screen.visit.stage, secondsLeft(screen.visit), wish(screen.visit)], ['summary', 20, null])
  screen.pass(SUMMARY / 1000)
  assert.deepEqual([screen.visit.stage, screen.visit.sessionId, wish(screen.visit)], ['opening', null, 'open'])
  const way = ['opening', 'ready', 'connected', 'receiving', 'idle', 'receiving', 'idle', 'summary', 'opening']
  assert.deepEqual(screen.stages, way)
})

test('a phone that leaves before it sent anything leaves the start behind', () => {
  const screen = new Screen().open().pass(5).call('handover', handed('s', 1)).pass(5).call('handover', handed('s', 0))
  assert.equal(screen.visit.stage, 'ready')
  screen.pass(3600)
  assert.equal(screen.visit.ending, null)
})

test('what is not finished is waited for ten times as long', () => {
  const broken = file('a', { status: 'failed', error: { code: 'NETWORK_ERROR' } })
  for (const one of [file('a', { status: 'paused' }), broken]) {
    const screen = new Screen().open().see([stored('b'), one]).pass(899)
    assert.equal(screen.visit.ending, null)
    assert.equal(screen.pass(1).visit.ending, 'wanted')
  }
  assert.equal(new Screen().open().see([refused('a')]).pass(90).visit.ending, 'wanted')
})

test('done ends a visit at once, but never one in which bytes flow', () => {
  const screen = new Screen().open().see([sending('a', 10)]).tell('done')
  assert.deepEqual([screen.visit.ending, screen.visit.asking], [null, false])
  assert.equal(wish(screen.see([stored('a')]).tell('done').visit), 'complete')
})

test('done asks when something is unfinished, and the question goes when bytes flow again', () => {
  const paused = [stored('b'), file('a', { status: 'paused' })]
  const screen = new Screen().open().see(paused).tell('done')
  assert.deepEqual([screen.visit.asking, screen.visit.ending], [true, null])
  assert.equal(screen.tell('stay', 'sure').visit.ending, null)
  assert.equal(screen.tell('done', 'sure').visit.ending, 'wanted')
  screen.see([stored('b'), sending('a', 10)])
  assert.equal(screen.visit.ending, null)
  assert.equal(screen.see(paused).tell('done').see([stored('b'), sending('a', 20)]).visit.asking, false)
})

test('an upload that stands still may be ended after all', () => {
  const screen = new Screen().open().see([sending('a', 10)]).pass(9).tell('done')
  assert.deepEqual([flowing(screen.visit), screen.visit.asking], [true, false])
  assert.equal(screen.pass(1).tell('done').visit.asking, true)
})

test('while the station is out of sight nothing is decided and nothing lost', () => {
  const screen = new Screen().open().see([stored('a')]).see([stored('a')], null, 'offline').pass(1000)
  assert.deepEqual([away(screen.visit), screen.visit.stage, screen.visit.files.count], [true, 'receiving', 1])
  screen.call('handover', failure('NETWORK_ERROR', 's')).see([stored('a')]).pass(1)
  assert.equal(away(screen.visit), true)
  screen.call('handover', handed('s'))
  assert.deepEqual([away(screen.visit), screen.visit.stage], [false, 'receiving'])
})

test('it waits longer after each failure, and as long as the station asks', () => {
  const screen = new Screen()
  const rests = []
  for (let tries = 0; tries < 8; tries += 1) {
    screen.call('open', failure('NETWORK_ERROR'))
    rests.push(screen.visit.rest)
    screen.pass(10)
  }
  assert.deepEqual(rests, [500, 1000, 2000, 4000, 7500, 7500, 7500, 7500])
  screen.call('open', { type: 'failed', problem: { code: 'RATE_LIMIT_EXCEEDED', retryAfter: 60000 }, random: HALF })
  assert.equal(screen.visit.rest, 60500)
  assert.equal(wish(screen.tell('network').visit), 'open')
})

test('a session that others ended, that is gone or that timed out is followed by a new one', () => {
  const gone = [
    (screen) => screen.tell({ type: 'gone', sessionId: 's' }),
    (screen) => screen.pass(5).call('handover', failure('SESSION_NOT_FOUND', 's')),
    (screen) => screen.see([], { completedFiles: 0 }),
    (screen) => screen.pass(5).call('handover', failure('SESSION_CLOSED', 's')).pass(20),
  ]
  for (const end of gone) {
    const screen = end(new Screen().open())
    assert.equal(screen.visit.stage, 'opening')
    screen.pass(1).open('t')
    assert.deepEqual([screen.visit.stage, screen.visit.sessionId], ['ready', 't'])
  }
  assert.equal(new Screen().open().see([stored('a')], { completedFiles: 1 }).visit.stage, 'summary')
})

test('news and answers of another session change nothing but free the line', () => {
  const screen = new Screen().open('t').pass(5).tell({ type: 'called', what: 'handover' })
  screen.see([stored('a')]).tell({ type: 'gone', sessionId: 's' })
  assert.deepEqual([screen.visit.stage, screen.visit.calling], ['ready', 'handover'])
  screen.tell(failure('SESSION_NOT_FOUND', 's'))
  assert.deepEqual([screen.visit.stage, screen.visit.sessionId, screen.visit.calling], ['ready', 't', null])
})

test('an answer that comes after the end was told says nothing any more', () => {
  for (const code of ['SESSION_CLOSED', 'SESSION_NOT_FOUND', 'NETWORK_ERROR', 'PIN_REQUIRED']) {
    const screen = new Screen().open().pass(5).tell({ type: 'called', what: 'handover' })
    screen.see([stored('a')], { completedFiles: 1 }).tell(failure(code, 's'))
    assert.deepEqual([screen.visit.stage, away(screen.visit), screen.visit.problem], ['summary', false, null])
  }
})

test('done does not wait for the answer to something else', () => {
  const screen = new Screen().open().see([stored('a')]).pass(5).tell({ type: 'called', what: 'handover' }, 'done')
  assert.equal(wish(screen.tell(handed('s')).visit), 'complete')
})

test('a PIN is asked for, and given up when the station does not want it any more', () => {
  const screen = new Screen().call('open', failure('PIN_REQUIRED'))
  assert.deepEqual([screen.visit.stage, away(screen.visit)], ['pin', false])
  assert.equal(screen.tell('admitted').open().visit.stage, 'ready')
  const other = new Screen().call('open', failure('PIN_REQUIRED')).pass(60)
  assert.equal(other.open().visit.stage, 'ready')
})

test('the clock may stand still, jump and go back', () => {
  const screen = new Screen().open().see([stored('a')])
  for (const now of [1000, 1000, 900, 5_000_000, -3, 0]) screen.tell({ type: 'tick', now })
  assert.equal(screen.visit.quiet, 3003)
})

test('a touch ends the summary', () => {
  const screen = new Screen().open().tell('next')
  assert.equal(screen.visit.stage, 'ready')
  assert.equal(screen.see([stored('a')], { completedFiles: 1 }).tell('next').visit.stage, 'opening')
})

test('failed files are final when the table says so, where no event told it', () => {
  const failed = (code, more) => file('a', { status: 'failed', error: { code }, ...more })
  const open = (one) => outlook({ files: [one] }).open
  assert.deepEqual([open(failed('NETWORK_ERROR')), open(failed('UNSUPPORTED_FORMAT'))], [1, 0])
  assert.equal(open(failed('NETWORK_ERROR', { canRetry: false })), 0)
})

// ---- any order of events ----

/** A station and a visitor who do anything at all, for as long as `calm` is not called. */
class Chaos extends Screen {
  constructor(seed) {
    super()
    this.random = dice(seed)
    this.made = 0
    this.sessions = new Map()
  }

  pick = (...choices) => choices[Math.floor(this.random() * choices.length)]

  mine() {
    return this.sessions.get(this.visit.sessionId)
  }

  news(feed = 'live') {
    const { sessionId } = this.visit
    const it = this.mine()
    if (it) this.tell({ type: 'seen', sessionId, feed, state: session(sessionId, it.files, it.summary) })
  }

  answer(what, calm, sessionId) {
    const it = this.sessions.get(sessionId)
    if (!calm && this.random() < 0.4) {
      const codes = ['NETWORK_ERROR', 'SERVER_ERROR', 'SESSION_NOT_FOUND', 'SESSION_CLOSED', 'PIN_REQUIRED']
      return failure(this.pick(...codes), sessionId)
    }
    if (what === 'open') {
      this.sessions.set(`s${(this.made += 1)}`, { files: [], summary: null })
      return { type: 'opened', sessionId: `s${this.made}`, patience: this.pick(500, 2000, 90000) }
    }
    if (it.summary) return failure('SESSION_CLOSED', sessionId)
    if (what === 'handover') return handed(sessionId, calm ? 0 : this.pick(0, 1, 2))
    it.summary = { completedFiles: it.files.length }
    const final = ({ status }) => ['completed', 'failed'].includes(status)
    it.files = it.files.map((one) => (final(one) ? one : { ...one, status: 'cancelled' }))
    return { type: 'completed', sessionId }
  }

  pursue(calm = false) {
    for (let what = wish(this.visit); what !== null; what = wish(this.visit)) {
      if (what === 'complete') assert.equal(flowing(this.visit), false, 'bytes flow')
      if (what === 'complete' && this.moved !== undefined) assert.notEqual(this.moved, this.now, 'bytes came just now')
      const { sessionId } = this.visit
      this.tell({ type: 'called', what })
      // An answer takes its time, and much may happen meanwhile.
      while (!calm && this.random() < 0.5) this.stir()
      this.tell(this.answer(what, calm, sessionId))
      if (calm) this.news()
    }
  }

  stir() {
    const it = this.mine()
    const status = this.pick('pending', 'uploading', 'uploading', 'paused', 'completed', 'failed', 'cancelled')
    const happen = {
      file: () => it && !it.summary && it.files.push(file(`f${(this.made += 1)}`, { status })),
      move: () => {
        if (!it?.files.length || it.summary) return
        const at = Math.floor(this.random() * it.files.length)
        it.files[at] = { ...it.files[at], status, uploadedBytes: it.files[at].uploadedBytes + 10 }
        this.news()
        this.moved = status === 'uploading' ? this.now : undefined
      },
      settle: () => it && (it.summary = { completedFiles: 1 }),
      news: () => this.news(this.pick('live', 'waiting', 'offline')),
      stale: () => this.tell({ type: 'gone', sessionId: 'old' }),
      press: () => this.tell(this.pick('done', 'sure', 'stay', 'moreTime', 'next', 'admitted', 'network')),
      time: () => this.pass(this.pick(1, 1, 5, 30, 100)),
    }
    happen[this.pick('file', 'move', 'move', 'move', 'settle', 'news', 'stale', 'press', 'press', 'time', 'time')]()
    if (this.random() < 0.7) this.pursue()
  }

  /** The station answers, nobody does anything, and nothing comes. @returns {number} seconds to a fresh start */
  calm() {
    const born = this.made
    for (let second = 0; second < 2000; second += 1) {
      this.news()
      this.pursue(true)
      const { stage, sessionId, files } = this.visit
      const untouched = files.count === 0 && this.mine()?.files.length === 0 && !this.mine().summary
      if (stage === 'ready' && untouched && (second > 0 || sessionId === `s${born}`)) return second
      this.pass(1)
    }
    return Infinity
  }
}

test('in any order of events it never sticks and never cuts off what is on its way', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const chaos = new Chaos(seed)
    for (let turn = 0; turn < 150; turn += 1) chaos.stir()
    const until = chaos.calm()
    assert.ok(until <= 1000, `seed ${seed}: ${JSON.stringify(chaos.visit)} after ${until}`)
  }
})
