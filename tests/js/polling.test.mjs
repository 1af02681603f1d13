import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messagesFrom } from '../../static/js/polling.js'
import { completed, file, settled, snapshot, started, SUMMARY } from './messages.mjs'

const said = (...all) =>
  [...messagesFrom(...all)].map(({ event, seq, data }) => `${event} ${seq} ${data.fileId ?? ''}`.trim())
const uploading = (uploadedBytes) => file('a', { status: 'uploading', uploadedBytes, progress: uploadedBytes / 10 })

test('the first answer is a join, with the progress of what is under way', () => {
  const told = snapshot({ files: [uploading(300), file('b')], seq: 4 })
  assert.deepEqual(said(told, null, null), ['session-joined 4', 'upload-progress 4 a', 'upload-progress 4 b'])
})

test('an answer to a known position joins there and replays', () => {
  const told = { ...snapshot({ files: [], seq: 2 }), events: [started(1, 'a'), completed(2, 'a')] }
  const [join, ...rest] = messagesFrom(told, null, 0)
  assert.deepEqual([join.seq, join.data.currentSeq, 'events' in join.data], [0, 2, false])
  assert.deepEqual(rest, told.events)
})

test('a later answer tells only what is new', () => {
  const before = snapshot({ files: [uploading(300), file('b')], seq: 4 })
  assert.deepEqual(said({ ...before, files: [uploading(500), file('b')], events: [] }, before, 4), [
    'upload-progress 4 a',
  ])
  assert.deepEqual(said({ ...before, events: [] }, before, 4), [])
})

test('a file that ended is told by its event alone', () => {
  const before = snapshot({ files: [uploading(300)], seq: 1 })
  const told = {
    ...snapshot({ files: [file('a', { status: 'completed', uploadedBytes: 1000 })], seq: 2 }),
    events: [completed(2, 'a')],
  }
  assert.deepEqual(said(told, before, 1), ['upload-completed 2 a'])
})

test('a settled session gets its last word', () => {
  const before = snapshot({ files: [], seq: 1 })
  const told = {
    ...snapshot({ files: [], seq: 2, summary: SUMMARY, overallStatus: 'completed' }),
    events: [settled(2)],
  }
  assert.deepEqual(said(told, before, 1), ['session-completed 2', 'upload-progress 2'])
  assert.equal([...messagesFrom(told, before, 1)].at(-1).data.overallStatus, 'completed')
})

test('a resync starts anew from the snapshot', () => {
  const told = snapshot({ files: [], seq: 2, resync: true })
  assert.deepEqual(said(told, snapshot(), 9), ['session-joined 2'])
})
