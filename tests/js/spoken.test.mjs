import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atOnce, politely, title } from '../../static/js/spoken.js'
import { wordsIn } from './fakes.mjs'

const words = wordsIn('en')
const sum = (change) => ({ progress: 0, done: 0, count: 2, ...change })
const now = (change) => ({ step: 'sending', sum: sum({}), status: 'live', online: true, ...change })
const failed = (key, name = key) => ({ key, name, phase: 'failed', problem: { code: 'UNSUPPORTED_FORMAT' } })

test('the title of the tab tells how far it is', () => {
  assert.equal(title(now({ sum: sum({ progress: 43.9 }) }), words), '43% · Send files')
  assert.equal(title(now({ step: 'choose' }), words), 'Send files')
  const state = {
    overallStatus: 'completed',
    summary: { completedFiles: 2, failedFiles: 0, cancelledFiles: 0, totalFiles: 2 },
  }
  assert.equal(title(now({ step: 'done', state }), wordsIn('zh-CN')), '上传完成')
})

test('progress is said in steps, so that the same is not said again and again', () => {
  const said = new Set()
  for (let progress = 0; progress <= 100; progress += 0.5) said.add(politely(now({ sum: sum({ progress }) }), words))
  assert.equal(said.size, 11)
  assert.ok(said.has('0 of 2 files done, 40% in all'))
})

test('a connection that is gone is said in place of progress', () => {
  assert.match(politely(now({ online: false }), words), /connection is gone/)
  assert.match(politely(now({ status: 'offline' }), words), /connection is gone/)
  assert.equal(politely(now({ step: 'choose', online: false }), words), '')
})

test('a failure is said once, with what to do', () => {
  const rows = [failed('a', 'game.exe'), { key: 'b', phase: 'uploading' }]
  assert.equal(
    atOnce(rows, new Set(), words),
    'game.exe failed: This kind of file is not accepted. Convert it to an accepted format.',
  )
  assert.equal(atOnce(rows, new Set(['a']), words), '')
})

test('many failures at once are one sentence', () => {
  const rows = Array.from({ length: 40 }, (_, index) => failed(`f${index}`))
  assert.equal(atOnce(rows, new Set(['f0']), words), '39 files failed')
})
