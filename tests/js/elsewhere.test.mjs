import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Elsewhere } from '../../static/js/elsewhere.js'

// The time is up after so many turns of the loop: an answer takes a few of them, on a busy machine too.
const TURNS = 100
const env = (channel) => ({
  channel,
  setTimeout(call) {
    const timer = { turns: TURNS }
    const turn = () => {
      timer.turns -= 1
      timer.next = timer.turns ? setImmediate(turn) : call()
    }
    turn()
    return timer
  },
  clearTimeout: (timer) => clearImmediate(timer?.next),
})
const real = () => new BroadcastChannel('elsewhere-test')

test('pages of one browser tell each other what they send', async () => {
  const one = new Elsewhere(env(real), () => 'session-1')
  const two = new Elsewhere(env(real), () => null)
  const three = new Elsewhere(env(real), () => 'session-3')
  assert.deepEqual([...(await two.sending())].sort(), ['session-1', 'session-3'])
  assert.deepEqual([...(await one.sending())], ['session-3'])
  for (const page of [one, two, three]) page.stop()
})

test('a yes is known at once, and questions do not disturb each other', async () => {
  const one = new Elsewhere(env(real), () => null)
  const two = new Elsewhere(env(real), () => 'session-2')
  const all = [one.sends('session-2'), one.sends('session-9'), one.sending()]
  assert.deepEqual(await Promise.all(all), [true, false, new Set(['session-2'])])
  for (const page of [one, two]) page.stop()
})

test('a browser without channels, and a stranger on it, do no harm', async () => {
  const alone = new Elsewhere(
    env(() => {
      throw new ReferenceError('BroadcastChannel')
    }),
    () => 'a',
  )
  assert.deepEqual([...(await alone.sending())], [])
  alone.stop()
  const page = new Elsewhere(env(real), () => null)
  const stranger = real()
  const found = page.sending()
  for (const said of [null, 7, { sends: 7 }, { ask: 'what' }, 'x']) stranger.postMessage(said)
  assert.deepEqual([...(await found)], [])
  page.stop()
  stranger.close()
})
