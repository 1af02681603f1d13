import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowMaker } from '../../static/js/rows.js'
import { powersOf, sumOf } from '../../static/js/sums.js'
import { file } from './messages.mjs'

const rows = (...files) => rowMaker()({ files }, [])
const sum = (...files) => sumOf(rows(...files), 7)

test('the whole goes by bytes', () => {
  const { progress, uploaded, total, speed, done, count, active, remaining } = sum(
    file('a', { status: 'completed', uploadedBytes: 1000 }),
    file('b', { status: 'uploading', uploadedBytes: 1000, totalBytes: 3000, uploadSpeed: 50 }),
  )
  assert.deepEqual(
    { progress, uploaded, total, speed, done, count, active, remaining },
    { progress: 50, uploaded: 2000, total: 4000, speed: 50, done: 1, count: 2, active: 1, remaining: 7 },
  )
})

test('how long it still takes is known only while something moves', () => {
  const [row] = rows(file('a', { status: 'uploading', uploadedBytes: 400, uploadSpeed: 50 }))
  const left = (change) => sumOf([{ ...row, ...change }], 7).remaining
  assert.deepEqual([left({}), left({ speed: null }), left({ phase: 'saving', speed: null })], [7, null, 7])
})

test('what will not be stored keeps the bar from its end no more', () => {
  const { progress, count, failed } = sum(
    file('a', { status: 'completed' }),
    file('b', { status: 'cancelled' }),
    file('c', { status: 'failed', canRetry: false }),
  )
  assert.deepEqual([progress, count, failed], [100, 3, 1])
  assert.equal(sum(file('a', { status: 'completed' }), file('b', { status: 'failed', canRetry: true })).progress, 50)
})

test('what this browser sent is never less than what the station has', () => {
  const [row] = rows(file('a', { status: 'uploading', uploadedBytes: 400 }))
  assert.equal(sumOf([row], null).sent, 40)
  assert.equal(sumOf([{ ...row, sent: 60 }], null).sent, 60)
})

test('no files and files of nothing give numbers nevertheless', () => {
  assert.deepEqual([sum().progress, sum().sent], [0, 0])
  assert.equal(sum(file('a', { status: 'completed', totalBytes: 0 })).progress, 100)
  assert.equal(sum(file('a', { status: 'pending', totalBytes: null })).progress, 0)
})

test('what can be done together is what some of them can do', () => {
  const can = (...files) => {
    const powers = powersOf(rows(...files), true)
    return Object.keys(powers).filter((name) => powers[name])
  }
  assert.deepEqual(can(file('a', { status: 'uploading' })), ['pauseAll', 'cancelAll', 'add'])
  assert.deepEqual(can(file('a', { status: 'paused' })), ['resumeAll', 'cancelAll', 'finish', 'add'])
  assert.deepEqual(can(file('a', { status: 'completed' })), ['finish', 'add'])
  assert.deepEqual(can(), ['add'])
  assert.deepEqual(Object.values(powersOf(rows(file('a')), false)).some(Boolean), false)
})
