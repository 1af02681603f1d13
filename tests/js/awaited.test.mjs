import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Awaited } from '../../static/js/awaited.js'
import { Clock, settle } from './fakes.mjs'

function awaited(answer) {
  const clock = new Clock()
  const heard = []
  const env = {
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    random: () => 0.999,
    module(name, tries) {
      heard.push(`asked ${tries}`)
      return answer(tries)
    },
  }
  const on = { came: (module) => heard.push(`came ${module}`), failed: () => heard.push('failed') }
  return { clock, heard, module: new Awaited(env, 'rest.js', on) }
}

const lost = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'))

test('what did not come is asked for again, each time by another address, until it is here', async () => {
  const { clock, heard, module } = awaited((tries) => (tries < 2 ? lost() : Promise.resolve(tries)))
  module.ask()
  module.ask()
  await clock.pass(60000)
  module.ask()
  assert.deepEqual(heard, ['asked 0', 'failed', 'asked 1', 'failed', 'asked 2', 'came 2'])
  assert.equal(clock.timers.size, 0)
})

test('who asks while it waits need not wait', async () => {
  const { heard, module } = awaited((tries) => (tries < 1 ? lost() : Promise.resolve(tries)))
  module.ask()
  await settle()
  module.ask()
  await settle()
  assert.deepEqual(heard, ['asked 0', 'failed', 'asked 1', 'came 1'])
})

test('what hangs is given up, and welcome if it comes after all', async () => {
  let come
  const hangs = new Promise((resolve) => (come = resolve))
  const { clock, heard, module } = awaited((tries) => (tries === 0 ? hangs : new Promise(() => {})))
  module.ask()
  await clock.pass(11500)
  assert.deepEqual(heard, ['asked 0', 'failed', 'asked 1'])
  come('late')
  await settle()
  assert.deepEqual([heard.at(-1), clock.timers.size], ['came late', 0])
})

test('nothing comes after the end', async () => {
  const { clock, heard, module } = awaited(() => Promise.resolve(1))
  module.ask()
  module.stop()
  await settle()
  module.ask()
  assert.deepEqual([heard, clock.timers.size], [['asked 0'], 0])
})
