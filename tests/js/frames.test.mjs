import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latest, together } from '../../static/js/frames.js'
import { Clock } from './fakes.mjs'

function framed() {
  const clock = new Clock()
  const page = { hidden: false, frames: true }
  const seen = []
  const env = {
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    hidden: () => page.hidden,
    requestAnimationFrame: (call) => (page.frames ? clock.setTimeout(call, 16) : -1),
    cancelAnimationFrame: clock.clearTimeout,
  }
  return { clock, page, seen, take: latest(env, (value) => seen.push(`${clock.now} ${value}`)) }
}

test('many values are one call a frame, with the last of them', async () => {
  const { clock, take, seen } = framed()
  for (let value = 0; value < 100; value += 1) {
    take(value)
    await clock.pass(1)
  }
  await clock.pass(100)
  assert.deepEqual(seen.slice(0, 2), ['16 15', '32 31'])
  assert.match(seen.at(-1), / 99$/)
  assert.equal(clock.timers.size, 0)
})

test('a page that is not seen is told less often, and loses nothing', async () => {
  const { clock, page, take, seen } = framed()
  page.hidden = true
  take('first')
  await clock.pass(200)
  take('last')
  await clock.pass(100)
  assert.deepEqual(seen, ['250 last'])
})

test('a page that is hidden before its frame comes is told as well', async () => {
  const { clock, page, take, seen } = framed()
  page.frames = false
  take('x')
  await clock.pass(300)
  assert.deepEqual(seen, ['250 x'])
})

test('what waits can be had now, or dropped; and nothing is a value, too', async () => {
  const { clock, take, seen } = framed()
  take(1)
  take.flush()
  take.flush()
  take(2)
  take.drop()
  take(undefined)
  await clock.pass(100)
  assert.deepEqual(seen, ['0 1', '16 undefined'])
})

test('all that waits for a frame is called in one, but for what was dropped', () => {
  const asked = []
  const gone = []
  const page = { requestAnimationFrame: (call) => asked.push(call), cancelAnimationFrame: (id) => gone.push(id) }
  const frames = together(page)
  const seen = []
  const call = (name) => frames.requestAnimationFrame((time) => seen.push(`${time} ${name}`))
  call('a')
  frames.cancelAnimationFrame(call('b'))
  call('c')
  assert.equal(asked.length, 1)
  asked[0](16)
  assert.deepEqual(seen, ['16 a', '16 c'])
  frames.cancelAnimationFrame(call('d'))
  assert.deepEqual([asked.length, gone], [2, [2]])
  frames.cancelAnimationFrame(1)
  call('e')
  asked[2](48)
  assert.deepEqual(seen.slice(2), ['48 e'])
})
