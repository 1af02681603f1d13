import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import vm from 'node:vm'
import { Checksums } from '../../static/js/checksums.js'
import { Clock, picked, settle } from './fakes.mjs'

function checking({ broken = false } = {}) {
  const clock = new Clock()
  const workers = []
  class Worker {
    constructor(url) {
      if (broken) throw new Error('no workers here')
      Object.assign(this, { url, asked: [], ended: false })
      workers.push(this)
    }
    postMessage(message) {
      this.asked.push(message)
    }
    terminate() {
      this.ended = true
    }
    answer(value = 'ff') {
      this.onmessage({ data: { id: this.asked.at(-1).id, value } })
    }
  }
  const env = { Worker, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout }
  const checksums = new Checksums(env, (path) => path)
  checksums.algorithm = 'blake3'
  const told = []
  const ask = (key) => checksums.ask(key, picked(key), (digest) => told.push(`${key} ${digest?.value}`))
  return { clock, workers, checksums, told, ask }
}

test('one file is read at a time, in the order in which they were asked for', async () => {
  const { clock, workers, told, ask } = checking()
  ask('a')
  ask('b')
  await clock.pass(0)
  assert.deepEqual([workers.length, workers[0].asked.length, workers[0].asked[0].algorithm], [1, 1, 'blake3'])
  workers[0].answer('aa')
  await clock.pass(0)
  workers[0].answer('bb')
  assert.deepEqual(told, ['a aa', 'b bb'])
})

test('what somebody waits for comes before what is read along the way', async () => {
  const { clock, workers, checksums, ask } = checking()
  for (const key of ['a', 'b']) ask(key)
  await clock.pass(0)
  const digest = checksums.digest('pick', picked('pick'))
  workers[0].answer('aa')
  await clock.pass(0)
  workers[0].answer('pp')
  assert.deepEqual(await digest, { algorithm: 'blake3', value: 'pp' })
})

test('the worker ends when there is nothing to do, and is made again', async () => {
  const { clock, workers, ask } = checking()
  ask('a')
  await clock.pass(0)
  workers[0].answer()
  await clock.pass(9000)
  assert.equal(workers[0].ended, false)
  await clock.pass(2000)
  assert.deepEqual([workers[0].ended, clock.timers.size], [true, 0])
  ask('b')
  await clock.pass(0)
  assert.equal(workers.length, 2)
})

test('what nobody wants any more is not read to its end', async () => {
  const { clock, workers, checksums, told, ask } = checking()
  for (const key of ['a', 'b', 'c']) ask(key)
  await clock.pass(0)
  checksums.drop('b')
  checksums.drop('a')
  await clock.pass(0)
  assert.deepEqual([workers[0].ended, workers.length], [true, 2])
  workers[0].answer()
  workers[1].answer('cc')
  assert.deepEqual(told, ['c cc'])
})

test('no worker, no WebAssembly, nothing to compute: the answer is none, and nobody is bothered', async () => {
  for (const prepare of [
    () => checking({ broken: true }),
    () => {
      const made = checking()
      made.checksums.algorithm = 'none'
      return made
    },
  ]) {
    const { clock, told, ask } = prepare()
    ask('a')
    ask('b')
    await clock.pass(0)
    assert.deepEqual(told, ['a undefined', 'b undefined'])
  }
})

test('a worker that fails is not made again for every file', async () => {
  const { clock, workers, told, ask } = checking()
  ask('a')
  ask('b')
  await clock.pass(0)
  workers[0].onerror({ preventDefault() {} })
  await clock.pass(0)
  assert.deepEqual([told, workers.length], [['a undefined', 'b undefined'], 1])
})

test('closing ends everything', async () => {
  const { clock, workers, checksums, ask } = checking()
  ask('a')
  ask('b')
  await clock.pass(0)
  checksums.close()
  assert.deepEqual([workers[0].ended, clock.timers.size], [true, 0])
})

// The worker's own script, in a world of its own, with the real libraries.
function world() {
  const told = []
  const root = new URL('../..', import.meta.url)
  const context = vm.createContext({ WebAssembly, Uint8Array, TextEncoder, Buffer, setTimeout, navigator: {} })
  const run = (path) => vm.runInContext(readFileSync(new URL(`.${path}`, root), 'utf8'), context)
  Object.assign(context, {
    self: context,
    postMessage: (message) => told.push(message),
    importScripts: run,
  })
  run('/static/js/worker/checksum.js')
  return { told, ask: (data) => context.onmessage({ data }) }
}

test('the worker reads in slices and gives the digest that was asked for', async () => {
  const { told, ask } = world()
  const text = 'station'.repeat(1234567)
  const expected = createHash('sha256').update(text).digest('hex')
  await ask({ id: 1, file: new Blob([text]), algorithm: 'sha256' })
  await ask({ id: 2, file: new Blob([]), algorithm: 'blake3' })
  const unreadable = { size: 5, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('gone')) }) }
  await ask({ id: 3, file: unreadable, algorithm: 'blake3' })
  await settle()
  assert.deepEqual(
    told.map(({ id, value }) => [id, value]),
    [
      [1, expected],
      [2, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
      [3, null],
    ],
  )
})
