import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialState, messageOf, reduce, standing } from '../../static/js/events.js'
import {
  advanced,
  cancelled,
  completed,
  failed,
  file,
  joined,
  lastWord,
  settled,
  started,
  SUMMARY,
} from './messages.mjs'

function frozen(value) {
  if (value && typeof value === 'object') Object.values(value).forEach(frozen)
  return Object.freeze(value)
}

// Every fold of these tests runs on frozen input, so none of them can change its arguments.
const fold = (messages, state = initialState()) =>
  messages.reduce((sofar, message) => frozen(reduce(frozen(sofar), frozen(message))), state)

const one = (state) => state.files[0]
const open = joined({ files: [file('a')] })

test('a whole upload is folded from join to the last word', () => {
  const state = fold([
    open,
    started(1, 'a'),
    advanced(1, 'a', 400),
    advanced(1, 'a', 1000),
    completed(2, 'a'),
    settled(3),
    lastWord(3),
  ])
  assert.equal(one(state).status, 'completed')
  assert.equal(one(state).progress, 100)
  assert.match(one(state).uploadPath, /a\.mp4$/)
  assert.deepEqual(one(state).checksum, { algorithm: 'blake3', value: 'aa' })
  assert.deepEqual(state.summary, SUMMARY)
  assert.equal(state.uploadPaths.length, 1)
  assert.deepEqual(
    [state.seq, state.overallStatus, state.totalProgress, state.completedFiles, state.ended],
    [3, 'completed', 100, 1, true],
  )
})

test('a repeated lifecycle event changes nothing', () => {
  const state = fold([open, started(1, 'a'), advanced(1, 'a', 400)])
  assert.equal(reduce(state, frozen(started(1, 'a'))), state)
  assert.equal(reduce(state, frozen(failed(1, 'a'))), state)
})

test('progress never moves the position', () => {
  const state = fold([open, started(1, 'a'), advanced(7, 'a', 400)])
  assert.equal(state.seq, 1)
  assert.equal(one(state).uploadedBytes, 400)
})

test('an older progress number does not turn the bar back', () => {
  const state = fold([open, started(1, 'a'), advanced(1, 'a', 400), advanced(1, 'a', 300)])
  assert.equal(one(state).uploadedBytes, 400)
})

test('progress that lags behind the numbers, of an attempt that is over, is passed over', () => {
  const state = fold([open, started(1, 'a'), failed(2, 'a'), started(3, 'a', { attempt: 2 })])
  assert.equal(reduce(state, frozen(advanced(1, 'a', 900))), state)
  assert.equal(one(reduce(state, frozen(advanced(3, 'a', 100)))).uploadedBytes, 100)
})

test('a new attempt starts its numbers anew, or where it was resumed', () => {
  const before = [open, started(1, 'a'), advanced(1, 'a', 400), failed(2, 'a')]
  assert.equal(one(fold([...before, started(3, 'a', { attempt: 2 })])).uploadedBytes, 0)
  const resumed = one(fold([...before, started(3, 'a', { attempt: 2, resumedFrom: 250 })]))
  assert.deepEqual([resumed.uploadedBytes, resumed.progress, resumed.error], [250, 25, null])
})

test('a failure keeps what it says, and the session stays open', () => {
  const state = fold([open, started(1, 'a'), failed(2, 'a')])
  assert.deepEqual(
    [one(state).status, one(state).canRetry, one(state).error.code, state.failedFiles, state.ended],
    ['failed', true, 'NETWORK_ERROR', 1, false],
  )
})

test('late progress does not revive a file that has ended', () => {
  for (const end of [completed, failed, cancelled]) {
    const state = fold([open, started(1, 'a'), end(2, 'a')])
    assert.equal(one(reduce(state, frozen(advanced(2, 'a', 1000)))).status, one(state).status)
  }
})

test('a refused file appears without a start', () => {
  const state = fold([
    joined(),
    failed(1, 'b', { canRetry: false, error: { code: 'UNSUPPORTED_FORMAT', message: 'no' } }),
  ])
  assert.deepEqual([one(state).id, one(state).originalName, one(state).status], ['b', 'b.mp4', 'failed'])
})

test('cancelling the session without a file moves only the position', () => {
  const state = fold([open, cancelled(1, 'a'), cancelled(2, null)])
  assert.deepEqual([state.seq, one(state).status, one(state).reason, state.cancelledFiles], [2, 'cancelled', 'user', 1])
})

test('a fault of the session is kept', () => {
  const fault = {
    event: 'session-error',
    seq: 1,
    data: { error: { code: 'INSUFFICIENT_STORAGE' }, action: 'pause', affectedFiles: [] },
  }
  assert.deepEqual(fold([open, fault]).fault, { code: 'INSUFFICIENT_STORAGE', action: 'pause' })
})

test('a join replaces everything with its snapshot', () => {
  const state = fold([open, started(1, 'a'), joined({ files: [file('b')], epoch: 'e2', seq: 5 })])
  assert.deepEqual([state.files.map(({ id }) => id), state.seq, state.epoch], [['b'], 5, 'e2'])
})

test('replayed history adds detail but turns nothing back', () => {
  const rejoin = joined(
    {
      files: [
        file('a', { status: 'completed', progress: 100, uploadedBytes: 1000 }),
        file('b', { status: 'failed', error: { code: 'NETWORK_ERROR' } }),
      ],
      currentSeq: 4,
      overallStatus: 'uploading',
    },
    0,
  )
  const middle = fold([rejoin, started(1, 'a')])
  assert.deepEqual([middle.seq, one(middle).status, one(middle).progress], [1, 'completed', 100])
  const state = fold([completed(2, 'a'), started(3, 'b'), failed(4, 'b')], middle)
  assert.deepEqual([state.seq, one(state).finalSpeed, state.files[1].canRetry], [4, 500, true])
  assert.equal(fold([started(5, 'b', { attempt: 2 })], state).files[1].status, 'uploading')
})

test('a rejoin with the last number goes on from there', () => {
  const before = fold([open, started(1, 'a'), advanced(1, 'a', 400)])
  const state = fold([joined({ files: [file('a', { status: 'completed', progress: 100 })], currentSeq: 3 }, 1)], before)
  assert.deepEqual([state.seq, state.contained], [1, 3])
  assert.equal(fold([completed(2, 'a'), settled(3)], state).seq, 3)
})

test('a snapshot that is older than what came over another carrier is ignored', () => {
  const state = fold([open, started(1, 'a'), completed(2, 'a')])
  assert.equal(reduce(state, frozen(joined({ files: [file('a', { status: 'uploading' })], currentSeq: 1 }, 0))), state)
})

test('a snapshot of the same moment does not turn a bar back', () => {
  const state = fold([
    open,
    started(1, 'a'),
    advanced(1, 'a', 600),
    joined({ files: [file('a', { status: 'uploading', uploadedBytes: 500, progress: 50 })], currentSeq: 1 }, 1),
  ])
  assert.equal(one(state).uploadedBytes, 600)
})

test('while a file is tried again, the attempt that failed counts as an earlier one', () => {
  const failedOnce = [open, started(1, 'a'), failed(2, 'a')]
  assert.equal(one(fold(failedOnce)).retryCount, 0)
  assert.equal(one(fold([...failedOnce, started(3, 'a')])).retryCount, 1)
})

test('what only an event told survives a snapshot that agrees with it', () => {
  const before = [open, started(1, 'a'), failed(2, 'a')]
  const again = (more) => one(fold([...before, joined({ files: [file('a', more)], currentSeq: 2 }, 2)]))
  assert.equal(again({ status: 'failed' }).canRetry, true)
  assert.equal(again({ status: 'failed', retryCount: 1 }).canRetry, undefined)
  assert.equal(again({ status: 'uploading' }).canRetry, undefined)
})

test('a resync goes on from the number of its snapshot', () => {
  const before = fold([open, started(1, 'a'), completed(2, 'a')])
  const state = fold([joined({ files: [file('a')], resync: true, seq: 1, epoch: 'e1' }, 2)], before)
  assert.deepEqual([state.seq, one(state).status], [1, 'pending'])
})

test('numbers of another epoch mean nothing', () => {
  const before = fold([open, started(1, 'a'), completed(2, 'a'), settled(3)])
  const state = fold([joined({ files: [file('a')], resync: true, seq: 0, epoch: 'e2' }, 0)], before)
  assert.deepEqual([state.seq, state.epoch, state.summary, state.ended], [0, 'e2', null, false])
  assert.equal(fold([started(1, 'a')], state).files[0].status, 'uploading')
})

test('the session has ended only when its last word follows its summary', () => {
  assert.equal(fold([open, lastWord(0, 'failed')]).ended, false)
  assert.equal(fold([open, settled(1)]).ended, false)
  assert.equal(fold([joined({ summary: SUMMARY, seq: 3 }), lastWord(3)]).ended, true)
})

test('messages that say nothing of the session leave the state as it is', () => {
  const state = fold([open])
  for (const event of ['session-left', 'error', 'something-new']) {
    assert.equal(reduce(state, frozen({ event, data: {}, seq: 0 })), state)
  }
})

test('a number is next, a repeat or a gap', () => {
  assert.equal(standing(2, started(3, 'a')), 'next')
  assert.equal(standing(2, started(2, 'a')), 'repeat')
  assert.equal(standing(2, started(4, 'a')), 'gap')
  assert.equal(standing(2, advanced(9, 'a', 1)), 'passing')
  assert.equal(standing(2, joined()), 'join')
})

test('only an event with its data is a message', () => {
  assert.deepEqual(messageOf('{"event": "a", "data": {}, "seq": 1}'), { event: 'a', data: {}, seq: 1 })
  const none = ['', '{', 'null', '[]', '{"event": 1, "data": {}}', '{"event": "a"}', '{"event": "a", "data": null}']
  for (const text of [...none, new ArrayBuffer(2)]) assert.equal(messageOf(text), null)
})
