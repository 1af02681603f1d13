import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../static/js/monitor/api.js'
import { distribution } from '../../static/js/monitor/bars.js'
import { namesOf, sentence } from '../../static/js/monitor/log.js'
import { dataOf, summary, table } from '../../static/js/monitor/series.js'
import { lively, named, strayed } from '../../static/js/monitor/sessions.js'
import { moving } from '../../static/js/monitor/overview.js'
import { standing } from '../../static/js/monitor/pieces.js'
import { routeOf, sessionLink } from '../../static/js/monitor/useRoute.js'
import { filesIn, follow, goneOf, isRunning, opened, whyOf } from '../../static/js/monitor/watched.js'
import { snapshot } from './messages.mjs'
import { monitorWords, NOON } from './monitoring.mjs'

const en = monitorWords('en')
const at = NOON / 1000

function pointsOf(values) {
  const all = { throughput: values, uploads: values, watchers: values, delay: values }
  return { at: values.map((_, index) => at - 10 * (values.length - index)), ...all }
}

test('what was not recorded stays a gap in the curve', () => {
  const points = pointsOf([null, 1, undefined, 2])
  assert.deepEqual(dataOf(points, 'uploads'), [points.at, [null, 1, null, 2]])
})

test('a curve is said in a sentence', () => {
  const told = summary(pointsOf([null, 1, 5, 3]), 'uploads', en)
  assert.match(told, /^Uploads at once: 3 in the last 10.s, at most 5 at [^,]+\.$/)
  const flow = summary(pointsOf([null, 1000, 3000]), 'throughput', en).replaceAll('\u00a0', ' ')
  assert.match(flow, /^Throughput, averages of 10 s: last 3 KB\/s, at most 3 KB\/s at .+, overall 2 KB\/s\.$/)
  assert.equal(summary(pointsOf([null, null]), 'delay', en), 'Delay of the event loop: nothing recorded yet.')
  assert.equal(summary(pointsOf([]), 'watchers', en), 'Watchers: nothing recorded yet.')
})

test('the table has few rows: what flows on average, of all else the most', () => {
  const rows = table(pointsOf(Array.from({ length: 360 }, (_, index) => (index < 30 ? null : index))))
  assert.equal(rows.length, 12)
  assert.deepEqual(rows[0].values, [null, null, null, null])
  assert.deepEqual(rows[1].values, [44.5, 59, 59, 59])
  assert.deepEqual(table(pointsOf([])), [])
})

test('the distribution is lists of bars, the longest full', () => {
  const told = distribution(
    {
      sizes: [
        { upTo: 1e6, files: 2, bytes: 10 },
        { upTo: null, files: 1, bytes: 20 },
      ],
      types: [
        { type: 'mp4', files: 2, bytes: 10 },
        { type: '', files: 1, bytes: 1 },
        { type: null, files: 0, bytes: 0 },
      ],
      categories: [{ category: 'personal', files: 3, bytes: 30 }],
    },
    en,
  )
  assert.deepEqual(
    told.sizes.map(({ label, share }) => [label, share]),
    [
      ['up to 1\u00a0MB', 100],
      ['larger', 50],
    ],
  )
  assert.deepEqual(
    told.types.map(({ label }) => label),
    ['mp4', 'without an ending'],
  )
  assert.equal(told.categories[0].text, '3 files, 30\u00a0B')
  assert.equal(told.empty, false)
  const nothing = distribution({ sizes: [{ upTo: null, files: 0, bytes: 0 }], types: [], categories: [] }, en)
  assert.equal(nothing.empty, true)
  assert.equal(nothing.sizes[0].share, 0)
})

const NAMES = new Map([['f', 'a.mp4']])
const said = (event, data) => sentence({ seq: 3, event, at: null, data }, NAMES, en)

test('each event is a sentence', () => {
  const told = (event, data) => said(event, { fileName: 'a.mp4', ...data }).text.replaceAll('\u00a0', ' ')
  assert.equal(told('upload-started', { fileSize: 1000, attempt: 1 }), 'a.mp4 began (1 KB).')
  assert.equal(told('upload-started', { fileSize: null, attempt: 1 }), 'a.mp4 began (?).')
  assert.equal(told('upload-started', { attempt: 2 }), 'a.mp4 began again, attempt 2.')
  assert.equal(told('upload-started', { attempt: 2, resumedFrom: 2048 }), 'a.mp4 went on from 2.05 KB.')
  assert.equal(
    told('upload-completed', { fileSize: 1024, duration: 61, finalSpeed: 512 }),
    'a.mp4 arrived: 1.02 KB in 1 min 1 s, 512 B/s.',
  )
  assert.match(told('upload-failed', { canRetry: false, error: { code: 'REJECTED' } }), /^a\.mp4 failed: The file was/)
  assert.match(told('upload-failed', { canRetry: true, error: { code: 'NETWORK_ERROR' } }), /may be tried again/)
  assert.equal(told('upload-cancelled', { fileId: 'f', reason: 'operator' }), 'a.mp4 was cancelled: by the operator.')
  assert.equal(told('upload-cancelled', { reason: 'user' }), 'The session was cancelled: by whoever sent it.')
  assert.match(told('upload-cancelled', { fileId: 'f', reason: 'expired' }), /nobody came back/)
  assert.match(told('upload-cancelled', { fileId: 'f', reason: 'a whim' }), /reason “a whim”/)
  const summary = { completedFiles: 1, totalFiles: 2, uploadedSize: 1024, totalTime: 2 }
  assert.equal(told('session-completed', { summary }), 'The session ended: 1 of 2 files arrived, 1.02 KB in 2 s.')
  assert.match(told('session-error', { error: { code: 'INSUFFICIENT_STORAGE' } }), /disk is full/)
  assert.equal(told('file-deleted', {}), 'a.mp4 was deleted.')
  assert.equal(told('something-new', {}), 'Event something-new.')
})

test('an event that names no file is told with the name that the session knows', () => {
  assert.match(said('upload-cancelled', { fileId: 'f', reason: 'user' }).text, /^a\.mp4/)
  assert.match(said('upload-cancelled', { fileId: 'g', reason: 'user' }).text, /^a file/)
  assert.deepEqual([...namesOf([{ id: 'f', originalName: 'a.mp4' }])], [['f', 'a.mp4']])
})

test('a sentence keeps when it was, its number and the data as they came', () => {
  const told = said('upload-failed', { failedAt: '2026-11-28T11:00:00Z', error: { code: 'REJECTED' } })
  assert.equal(told.at, '2026-11-28T11:00:00Z')
  assert.equal(told.number, 3)
  assert.equal(told.tone, 'bad')
  assert.equal(JSON.parse(told.raw).error.code, 'REJECTED')
})

test('the address says which part is shown, and what it is asked', () => {
  const routed = (hash) => Object.values(routeOf(hash))
  assert.deepEqual(routed(''), ['overview', null, {}])
  assert.deepEqual(routed('#/files'), ['files', null, {}])
  assert.deepEqual(routed('#/sessions'), ['sessions', null, {}])
  assert.deepEqual(routed(sessionLink('a/b?c')), ['session', 'a/b?c', {}])
  assert.deepEqual(routed('#/nothing/here'), ['overview', null, {}])
  assert.deepEqual(routed('#/sessions/%E0%A4%A'), ['session', '%E0%A4%A', {}])
  const asked = { state: 'failed', q: 'a b?&#/%生' }
  assert.deepEqual(routed(`#/sessions${query(asked)}`), ['sessions', null, asked])
  assert.deepEqual(routed('#/sessions?q=%E0%A4%A&&=x'), ['sessions', null, { q: '\ufffd%A', '': 'x' }])
})

test('only what was given is asked for', () => {
  assert.equal(query({ q: 'a b', state: '', before: null, limit: 50 }), '?q=a+b&limit=50')
  assert.equal(query({}), '')
})

test('rows of running sessions are as alive as the overview', () => {
  const rows = [
    { sessionId: 'a', endedAt: null, totalProgress: 1 },
    { sessionId: 'b', endedAt: 'x', totalProgress: 100 },
    { sessionId: 'c', endedAt: null, totalProgress: 5 },
  ]
  const now = { sessions: [{ sessionId: 'a', endedAt: null, totalProgress: 60 }] }
  assert.deepEqual(
    lively(rows, now).map(({ totalProgress }) => totalProgress),
    [60, 100, 5],
  )
  assert.deepEqual(lively(rows, null), rows)
})

test('a row that moves and is not among those that the overview tells is missed', () => {
  const row = (sessionId, uploadingFiles, endedAt = null) => ({ sessionId, uploadingFiles, endedAt })
  const told = { sessions: [row('a', 1), row('b', 0)] }
  assert.equal(strayed([row('a', 1), row('b', 0), row('c', 0), row('d', 0, 'x')], told), false)
  assert.equal(strayed([row('a', 1), row('c', 1)], told), true)
})

test('of a session’s names three are shown, and that there are more only if there are', () => {
  assert.equal(named({ names: [], totalFiles: 2 }, en), 'no files yet')
  assert.equal(named({ names: ['cut.txt'], totalFiles: 2 }, en), 'cut.txt')
  assert.equal(named({ names: ['a', 'b', 'c'], totalFiles: 5 }, en), 'a, b, c')
  assert.equal(named({ names: ['a', 'b', 'c', 'd'], totalFiles: 5 }, en), 'a, b, c and more')
})

test('a session that is open while nobody sends waits', () => {
  assert.equal(standing('uploading', 1), 'uploading')
  assert.equal(standing('uploading', 0), 'waiting')
  assert.equal(standing('paused', 0), 'paused')
  assert.equal(standing('completed', 0), 'completed')
  for (const language of ['en', 'zh-CN']) assert.notEqual(monitorWords(language).status('waiting'), 'waiting')
})

const file = { id: 'f', originalName: 'a.mp4', status: 'uploading', progress: 10, uploadedBytes: 1, totalBytes: 10 }
const start = { seq: 1, event: 'upload-started', at: 't', data: { fileId: 'f', fileName: 'a.mp4', fileSize: 10 } }
const told = (more = {}) => ({
  session: { ...snapshot({ files: [{ ...file, uploadSpeed: 1, retryCount: 0 }], seq: 1, epoch: 'e' }), ...more },
  openedAt: 't',
  endedAt: null,
  events: [start],
})
const failed = (seq) => ({
  event: 'upload-failed',
  seq,
  data: { fileId: 'f', fileName: 'a.mp4', failedAt: 't2', error: { code: 'REJECTED' }, canRetry: false, retryCount: 0 },
})

test('an opened session grows with what is told of it', () => {
  const now = follow(opened(told()), failed(2))
  assert.deepEqual(
    now.events.map(({ seq, at }) => [seq, at]),
    [
      [1, 't'],
      [2, 't2'],
    ],
  )
  assert.equal(now.state.files[0].status, 'failed')
  assert.equal(now.gap, false)
  assert.equal(whyOf(now.events).get('f').code, 'REJECTED')
  assert.deepEqual(follow(now, failed(2)).events, now.events, 'a repeat is no second event')
})

test('a missing event is noticed, and so is a snapshot that knows more', () => {
  assert.equal(follow(opened(told()), failed(3)).gap, true)
  const more = { ...told().session, seq: 4, currentSeq: 4 }
  assert.equal(follow(opened(told()), { event: 'session-joined', seq: 4, data: more }).gap, true)
  const same = { ...told().session, currentSeq: 1 }
  assert.equal(follow(opened(told()), { event: 'session-joined', seq: 1, data: same }).gap, false)
})

test('a session is over when it says so', () => {
  const now = opened(told())
  assert.equal(isRunning(now), true)
  const data = { summary: {}, endTime: 'end', uploadPaths: [] }
  assert.equal(isRunning(follow(now, { event: 'session-completed', seq: 2, data })), false)
  assert.equal(isRunning(opened(told({ overallStatus: 'cancelled' }))), false)
})

test('an opened session has as many files as are expected, until it is over', () => {
  const now = opened({ ...told(), expectedFiles: 3 })
  assert.equal(filesIn(now), 3)
  assert.equal(filesIn(opened({ ...told(), expectedFiles: null })), 1)
  const data = { summary: {}, endTime: 'end', uploadPaths: [] }
  assert.equal(filesIn(follow(now, { event: 'session-completed', seq: 2, data })), 1)
})

test('a file that was begun again has no error any more', () => {
  assert.equal(whyOf([start, { ...failed(2) }, { ...start, seq: 3 }]).size, 0)
})

test('of the sessions with files the first eight are shown, and how many there are is not how many are told', () => {
  const row = (sessionId, ...names) => ({ sessionId, totalFiles: 3, names })
  const rows = Array.from({ length: 10 }, (_, number) => row(`s${number}`, 'a.mp4'))
  const told = moving({ sessions: [row('empty'), ...rows], now: { sessions: 1111, sessionsWithFiles: 300 } })
  assert.deepEqual(
    told.rows.map(({ sessionId }) => sessionId),
    ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'],
  )
  assert.equal(told.more, 292)
  assert.deepEqual(moving({ sessions: [row('empty')], now: { sessionsWithFiles: 0 } }), { rows: [], more: 0 })
})

test('a file that was deleted is known by who did it', () => {
  const deed = (fileId, by) => ({ number: 1, at: null, name: 'file-deleted', data: { fileId, by } })
  const gone = goneOf([deed('a', 'operator'), deed('b', 'uploader'), { name: 'something-new', data: { fileId: 'c' } }])
  assert.deepEqual([...gone], [['a', 'deletedByOperator'], ['b', 'deletedByUploader']])
  assert.equal(said('file-deleted', { fileName: 'a.mp4', by: 'uploader' }).text, 'a.mp4 was deleted by whoever sent it.')
})
