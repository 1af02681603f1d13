import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANSWER, DOUBT, SILENCE, STILL, Watchdog } from '../../static/js/watchdog.js'
import { Clock } from './fakes.mjs'

function watch() {
  const clock = new Clock()
  const stalled = []
  const env = { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, now: () => clock.now + (env.jump ?? 0) }
  const still = []
  const dog = new Watchdog(
    env,
    (key) => stalled.push(`${key} ${clock.now}`),
    (key) => still.push(`${key} ${clock.now}`),
  )
  return { clock, env, dog, stalled, still }
}

test('a request of which nothing is heard is told once', async () => {
  const { clock, dog, stalled } = watch()
  dog.watch('a')
  await clock.pass(10000)
  dog.watch('b')
  await clock.pass(60000)
  assert.deepEqual(stalled, [`a ${SILENCE}`, `b ${10000 + SILENCE}`])
  assert.equal(clock.timers.size, 0)
})

test('one that moves is left alone', async () => {
  const { clock, dog, stalled } = watch()
  dog.watch('a')
  for (let turn = 0; turn < 10; turn += 1) {
    await clock.pass(SILENCE - 1000)
    dog.moved('a')
  }
  assert.deepEqual(stalled, [])
})

test('one that is still for a while is told once, until it moves', async () => {
  const { clock, dog, still } = watch()
  dog.watch('a')
  await clock.pass(10000)
  dog.moved('a')
  await clock.pass(STILL - 1000)
  dog.moved('a')
  await clock.pass(STILL)
  assert.deepEqual(still, [`a ${STILL}`, `a ${10000 + 2 * STILL - 1000}`])
})

test('after all is sent there is more time for the answer', async () => {
  const { clock, dog, stalled } = watch()
  dog.watch('a')
  dog.moved('a', true)
  await clock.pass(ANSWER - 1000)
  assert.deepEqual(stalled, [])
  await clock.pass(1000)
  assert.deepEqual(stalled, [`a ${ANSWER}`])
})

test('what does not move after the network changed is lost soon', async () => {
  const { clock, dog, stalled } = watch()
  for (const key of ['hangs', 'moves', 'saved']) dog.watch(key)
  dog.moved('saved', true)
  await clock.pass(1000)
  dog.doubt()
  await clock.pass(1000)
  dog.doubt()
  await clock.pass(DOUBT - 1000)
  dog.moved('moves')
  await clock.pass(SILENCE - DOUBT)
  assert.deepEqual(stalled, [`hangs ${2000 + DOUBT}`])
  await clock.pass(1000)
  assert.deepEqual(stalled.slice(1), [`saved ${2000 + SILENCE}`], 'the station may still be at it')
})

test('the time in which a page was frozen is no silence', async () => {
  const { clock, env, dog, stalled } = watch()
  dog.watch('a')
  for (let sleep = 0; sleep < 5; sleep += 1) {
    env.jump = (env.jump ?? 0) + 3600000
    await clock.pass(1000)
  }
  assert.deepEqual(stalled, [])
  env.jump -= 7200000
  await clock.pass(9000)
  assert.deepEqual(stalled, [], 'nor does a clock that is set back count')
  await clock.pass(9000)
  assert.equal(stalled.length, 1)
})

test('what is not watched any more is never told, and leaves no timer', async () => {
  const { clock, dog, stalled } = watch()
  dog.watch('a')
  dog.leave('a')
  dog.moved('a')
  assert.equal(clock.timers.size, 0)
  await clock.pass(60000)
  assert.deepEqual(stalled, [])
})
