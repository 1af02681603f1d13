import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ending, rowMaker, storedName } from '../../static/js/rows.js'
import { file } from './messages.mjs'

const rows = (...all) => rowMaker()(...all)
const entry = (fileId, phase, more = {}) => ({
  key: `local-${fileId}`,
  fileId,
  digest: null,
  checking: false,
  retryAt: null,
  sent: null,
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
  const waiting = one('pending', {}, entry('a', 'waiting', { problem, retryAt: 7 }))
  assert.deepEqual([waiting.phase, waiting.retryAt, waiting.problem], ['waiting', 7, problem])
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
      ['local-a', 'a.mp4', 'queued'],
      ['local-9', 'new.mp4', 'queued'],
    ],
  )
})

test('a row keeps its key when the station gives it a number', () => {
  const mine = entry(null, 'sending', { key: 'local-1' })
  const [before] = rows({ files: [] }, [mine])
  const [after] = rows({ files: [file('a', { status: 'uploading' })] }, [{ ...mine, fileId: 'a' }])
  assert.deepEqual([before.key, before.phase, after.key, after.fileId], ['local-1', 'uploading', 'local-1', 'a'])
})

test('what left this browser is told beside what the station has, and never less', () => {
  const sent = (more) => one('uploading', { progress: 40, uploadedBytes: 400 }, entry('a', 'sending', more))
  assert.equal(sent({ sent: 700 }).sent, 70)
  assert.equal(sent({ sent: null }).sent, 40)
  assert.equal(one('uploading', { progress: 40 }).sent, null)
  assert.equal(one('completed', {}, entry('a', 'sent')).sent, 100)
  assert.equal(one('completed', {}).sent, null)
  assert.equal(rows({ files: [] }, [entry(null, 'queued', { size: 0 })])[0].sent, 0)
})

test('what is paused can be resumed, here or by way of the station, and what flows can be paused', () => {
  const can = ({ phase, canPause, canResume }) => [phase, canPause, canResume]
  assert.deepEqual(can(one('uploading', {}, entry('a', 'sending'))), ['uploading', true, false])
  assert.deepEqual(can(one('uploading', {})), ['uploading', true, false])
  assert.deepEqual(can(one('pending', {})), ['queued', false, false])
  assert.deepEqual(can(one('pending', {}, entry('a', 'queued'))), ['queued', true, false])
  assert.deepEqual(can(one('uploading', {}, entry('a', 'paused'))), ['paused', false, true])
  assert.deepEqual(can(one('uploading', { progress: 100 }, entry('a', 'sending'))), ['saving', false, false])
  assert.deepEqual(can(one('uploading', {}, entry('a', 'queued'))), ['queued', true, false])
  assert.deepEqual(can(one('paused', {})), ['paused', false, true])
  assert.deepEqual(can(one('paused', {}, entry('a', 'sending'))), ['uploading', true, false])
  assert.deepEqual(can(one('completed', {}, entry('a', 'paused'))), ['completed', false, false])
})

test('a file that must be picked again says so at once, unless all of it is there or it is over', () => {
  const wanted = (status, more = {}) => {
    const row = one(status, more, entry('a', 'wanted'))
    return [row.phase, row.wanted, row.canResume, row.canRetry, row.canCancel]
  }
  assert.deepEqual(wanted('paused'), ['paused', true, false, false, true])
  assert.deepEqual(wanted('failed', { canRetry: true }), ['paused', true, false, false, true])
  assert.deepEqual(wanted('pending'), ['paused', true, false, false, true])
  assert.deepEqual(wanted('uploading'), ['paused', true, false, false, true], 'the station notices later')
  assert.deepEqual(wanted('uploading', { progress: 100 }), ['saving', false, false, false, true])
  assert.deepEqual(wanted('completed'), ['completed', false, false, false, false])
  assert.equal(rows({ files: [] }, [entry(null, 'wanted')])[0].wanted, true)
})

test('what another page sends is only watched here', () => {
  const state = { files: [file('a', { status: 'uploading' }), file('b', { status: 'pending' })] }
  const list = rows(state, [entry('a', 'wanted'), entry('b', 'wanted'), entry(null, 'wanted')], true)
  assert.deepEqual(
    list.map(({ phase, wanted, entry: mine }) => [phase, wanted, mine]),
    [
      ['uploading', false, null],
      ['queued', false, null],
    ],
  )
})

test('a network problem stays told while it is tried again, and nothing flows that is still', () => {
  const lost = { code: 'NETWORK_ERROR' }
  const now = (more) => one('uploading', { uploadSpeed: 7, estimatedTimeRemaining: 9 }, entry('a', 'sending', more))
  assert.equal(now({ problem: lost }).problem, lost)
  assert.equal(one('failed', { canRetry: true }, entry('a', 'queued', { problem: lost })).problem, lost)
  assert.equal(now({ problem: { code: 'SERVER_ERROR' } }).problem, null)
  assert.deepEqual([now({}).speed, now({}).remaining, now({}).problem], [7, 9, null])
  assert.deepEqual([now({ still: true }).speed, now({ still: true }).remaining], [null, null])
})

test('what was stored is compared with what this browser read', () => {
  const blake3 = (value) => ({ algorithm: 'blake3', value })
  const checked = (more, checksum = blake3('x')) => one('completed', { checksum }, entry('a', 'sent', more)).checked
  assert.equal(checked({ digest: blake3('x') }), 'same')
  assert.equal(checked({ digest: blake3('y') }), 'different')
  assert.equal(checked({ checking: true }), 'checking')
  assert.equal(checked({}), null)
  assert.equal(checked({ digest: { algorithm: 'sha256', value: 'x' } }), null)
  assert.equal(checked({ digest: blake3('x') }, null), null)
  assert.equal(one('completed', { checksum: blake3('x') }).checked, null)
  assert.equal(one('uploading', {}, entry('a', 'sending', { checking: true })).checked, null)
})

test('what trying again cannot mend is not offered', () => {
  const can = (code) => one('pending', {}, entry('a', 'failed', { problem: { code } })).canRetry
  assert.deepEqual(['FILE_UNREADABLE', 'SERVER_ERROR', 'SESSION_CLOSED'].map(can), [true, true, false])
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
  const own = entry(null, 'queued')
  assert.equal(make({ files: [] }, [own])[0], make({ files: [] }, [own])[0])
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
