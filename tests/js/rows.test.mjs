import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ending, rowMaker, storedName } from '../../static/js/rows.js'
import { file } from './messages.mjs'

const rows = (...all) => rowMaker()(...all)
const entry = (fileId, phase, more = {}) => ({
  key: `local-${fileId}`,
  fileId,
  name: `${fileId}.mp4`,
  size: 1000,
  phase,
  problem: null,
  ...more,
})
const one = (status, more, ...entries) => rows({ files: [file('a', { status, ...more })] }, entries)[0]

test("the station's word decides what a row says", () => {
  assert.equal(one('pending', {}).phase, 'queued')
  assert.equal(one('uploading', { progress: 40 }).phase, 'uploading')
  assert.equal(one('uploading', { progress: 100 }).phase, 'saving')
  assert.equal(one('paused', {}).phase, 'paused')
  assert.equal(one('completed', {}, entry('a', 'failed')).phase, 'completed')
  assert.equal(one('cancelled', {}, entry('a', 'waiting')).phase, 'cancelled')
})

test('what did not reach the station, this browser knows', () => {
  const problem = { code: 'NETWORK_ERROR' }
  assert.equal(one('pending', {}, entry('a', 'waiting', { problem })).phase, 'waiting')
  const row = one('uploading', {}, entry('a', 'failed', { problem }))
  assert.deepEqual([row.phase, row.problem, row.canRetry, row.canCancel], ['failed', problem, true, true])
})

test('only who has the file can try it again', () => {
  const mine = one('failed', { canRetry: true, error: { code: 'NETWORK_ERROR' } }, entry('a', 'failed'))
  assert.deepEqual([mine.canRetry, mine.elsewhere], [true, false])
  const watched = one('failed', { canRetry: true })
  assert.deepEqual([watched.canRetry, watched.elsewhere, watched.canCancel], [false, true, true])
})

test('a final failure offers nothing more', () => {
  const row = one('failed', { canRetry: false, error: { code: 'UNSUPPORTED_FORMAT' } }, entry('a', 'failed'))
  assert.deepEqual(
    [row.phase, row.canRetry, row.canCancel, row.elsewhere, row.problem.code],
    ['failed', false, false, false, 'UNSUPPORTED_FORMAT'],
  )
})

test('a file that failed and is on its way again is not shown as failed', () => {
  assert.equal(one('failed', { canRetry: true }, entry('a', 'queued')).phase, 'queued')
  assert.equal(one('failed', { canRetry: true }, entry('a', 'waiting')).phase, 'waiting')
})

test('files that the station has not heard of come last', () => {
  const list = rows({ files: [file('a')] }, [
    entry('a', 'sending'),
    entry(null, 'queued', { key: 'local-9', name: 'new.mp4' }),
  ])
  assert.deepEqual(
    list.map(({ key, name, phase }) => [key, name, phase]),
    [
      ['a', 'a.mp4', 'queued'],
      ['local-9', 'new.mp4', 'queued'],
    ],
  )
})

test('a row of which nothing changed is the same object', () => {
  const make = rowMaker()
  const [a, b] = [file('a'), file('b')]
  const mine = entry('a', 'queued')
  const first = make({ files: [a, b] }, [mine])
  const second = make({ files: [a, { ...b, progress: 1 }] }, [mine])
  assert.equal(second[0], first[0])
  assert.notEqual(second[1], first[1])
  assert.notEqual(make({ files: [a, b] }, [{ ...mine, phase: 'sending' }])[0], first[0])
})

test('the stored name is the last step of its public name', () => {
  assert.equal(storedName('/upload/personal/x_y_a.mp4'), 'x_y_a.mp4')
  assert.equal(storedName(undefined), '')
})

test('the heading of the end says no more than is true', () => {
  const end = (overallStatus, completedFiles, failedFiles, cancelledFiles) =>
    ending({ overallStatus, summary: { completedFiles, failedFiles, cancelledFiles } })
  assert.equal(end('completed', 2, 0, 0), 'doneTitle')
  assert.equal(end('completed', 1, 1, 0), 'doneSomeTitle')
  assert.equal(end('completed', 1, 0, 1), 'doneSomeTitle')
  assert.equal(end('failed', 0, 1, 1), 'failedTitle')
  assert.equal(end('cancelled', 1, 0, 1), 'cancelledTitle')
  assert.equal(end('cancelled', 0, 0, 1), 'cancelledTitle')
})
