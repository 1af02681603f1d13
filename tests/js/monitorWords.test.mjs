import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { LIFECYCLE } from '../../static/js/events.js'
import { MONITOR as EN } from '../../static/js/monitor/en.js'
import { capped } from '../../static/js/monitor/app.js'
import { card, verdict } from '../../static/js/monitor/indicators.js'
import { MONITOR as ZH } from '../../static/js/monitor/zh.js'
import { indicatorsOf, monitorWords, NOON, overviewOf } from './monitoring.mjs'

const en = monitorWords('en')
const zh = monitorWords('zh-CN')
const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()

test('both languages say the same things, and none of them is empty', () => {
  assert.deepEqual(Object.keys(ZH).sort(), Object.keys(EN).sort())
  for (const name of Object.keys(ZH)) {
    assert.deepEqual(places(ZH[name]), places(EN[name]), name)
    assert.ok(ZH[name].trim() && EN[name].trim(), name)
  }
})

test('what only the page says is still said', () => {
  assert.equal(en.say('someFiles', { count: 3 }), '3 files')
  assert.equal(en.say('allWell'), 'All is well')
  assert.equal(zh.say('allWell'), '一切正常')
})

test('an indicator is told in its own unit, with few figures', () => {
  const told = (name, unit, value) => en.measure(name, unit, value).replaceAll('\u00a0', ' ')
  assert.equal(told('latency', 's', 0.0184), '18.4 ms')
  assert.equal(told('latency', 's', 2.5), '2.5 s')
  assert.equal(told('reconnects', 'per hour', 7.456), '7.46 an hour')
  assert.equal(told('speed', 'B/s', 1e6), '1 MB/s')
  assert.equal(told('speed', 'B/s', 999_600), '1 MB/s')
  assert.equal(told('speed', 'B/s', 12), '12 B/s')
  assert.equal(told('success', '%', 94.96), '95%')
  assert.equal(told('cpu', '%', 0), '0%')
  for (const strange of [null, undefined, Number.NaN, Infinity, 'x']) assert.equal(told('cpu', '%', strange), '')
})

test('how long the disk lasts is told as roughly as it is known, its limit exactly', () => {
  const hour = 3600
  const day = 24 * hour
  const told = (span) => en.measure('disk', 's', span)
  assert.equal(told(60), 'less than an hour')
  assert.equal(told(30 * hour), 'about 30 hours')
  assert.equal(told(9 * day), 'about 9 days')
  assert.equal(told(100 * day), 'about 3 months')
  assert.equal(told(1000 * day), 'more than a year')
  assert.equal(en.limit('disk', 's', 7 * day), '7 days')
})

test('a moment of today is a time, any other has its day', () => {
  assert.match(en.moment(NOON / 1000), /^\d\d:\d\d$/)
  assert.match(en.instant('2026-11-28T12:00:01Z'), /^\d\d:\d\d:01$/)
  assert.match(en.dated(NOON / 1000), /Nov.*\d\d:\d\d$/)
  assert.match(en.moment('2026-11-20T12:00:00Z'), /20/)
  assert.match(en.moment('2024-11-20T12:00:00Z'), /2024/)
  for (const strange of [null, undefined, '', 'soon']) assert.equal(en.moment(strange), '')
})

test('an error is told in one line, with what a check said of it', () => {
  assert.equal(en.why({ code: 'REJECTED', details: 'a virus' }), 'The file was refused by a check. (Details: a virus)')
  assert.equal(zh.why({ code: 'FILE_SIZE_EXCEEDED' }), '文件太大')
  assert.match(zh.why({ code: 'UNSUPPORTED_FORMAT', details: 'an ELF program' }), /an ELF program/)
})

// What the station says, up to a value.
const SAYINGS = [
  ['station/hooks.py', 'it answered ', '410'],
  ['station/deliveries.py', 'its hook was off', ''],
  ['station/dock.py', 'the content looks like ', 'image/png'],
]

test('the endings that a station takes are no news to who set them', () => {
  const details = `allowed: ${Array.from({ length: 140 }, (_, at) => `.x${at}`).join(', ')}`
  assert.equal(en.why({ code: 'UNSUPPORTED_FORMAT', details }), 'This kind of file is not accepted.')
  assert.equal(zh.why({ code: 'UNSUPPORTED_FORMAT', details }), '不支持这种文件格式')
})

test('why something failed is said in the language of the page', () => {
  const details = 'the content looks like image/png'
  assert.match(zh.why({ code: 'UNSUPPORTED_FORMAT', details }), /内容像是 image\/png/)
  assert.match(en.why({ code: 'UNSUPPORTED_FORMAT', details }), new RegExp(details))
  assert.equal(zh.reason('it answered 410'), '对方回答 410')
  assert.equal(zh.reason('connection refused'), '对方拒绝连接')
  for (const [file, said, value] of SAYINGS) {
    assert.equal(en.reason(said + value), said + value)
    assert.notEqual(zh.reason(said + value), said + value)
    assert.ok(readFileSync(file, 'utf8').includes(said), `the station says no more: ${said}`)
  }
  assert.equal(zh.reason('something else'), 'something else')
})

test('whatever a hook says of its failure is said in the language of the page', () => {
  const sources = ['handlers/webhook.py', 'station/program.py'].map((file) => readFileSync(file, 'utf8')).join('\n')
  const said = [...sources.matchAll(/"((?:its?|no|exit) [^"]+)"/g)].map(([, text]) => text.replace(/\{.+\}/, '7'))
  assert.ok(said.includes('it was ended by signal 7') && said.includes('no connection'), said.join())
  for (const text of said) {
    assert.equal(en.reason(text), text)
    assert.notEqual(zh.reason(text), text)
  }
})

test('an event is called by a name that people know', () => {
  const events = [...LIFECYCLE.filter((name) => name !== 'upload-progress'), 'file-deleted']
  for (const name of events) for (const words of [en, zh]) assert.notEqual(words.named(name), name)
  assert.equal(zh.named('upload-hurried'), 'upload-hurried')
})

test('an order that failed is said with what it was', () => {
  const lost = { code: 'NETWORK_ERROR', what: 'deleting', values: { name: 'b.txt' } }
  assert.equal(en.failed(lost), 'Deleting b.txt: The network connection was lost.')
  assert.equal(zh.failed(lost), '删除 b.txt：网络连接中断')
  assert.equal(en.failed({ code: 'NETWORK_ERROR' }), 'The network connection was lost.')
})

test('a card says its value, its limit and its state in words', () => {
  const [latency] = indicatorsOf({ latency: [0.018, 'good'] })
  assert.deepEqual(card(latency, en), {
    name: 'latency',
    label: 'Latency',
    state: 'good',
    stateWord: 'Good',
    icon: 'circle-check',
    value: '18\u00a0ms',
    limit: 'Good below 200\u00a0ms',
    basis: 'from 3 measurements',
  })
})

test('without data, or in a state that nobody knows, nothing is called good', () => {
  const [latency] = indicatorsOf()
  assert.equal(card({ ...latency, state: 'good' }, en).state, 'unknown')
  assert.equal(card({ ...latency, value: 1, state: 'splendid' }, en).stateWord, 'No data yet')
  assert.equal(card(latency, en).value, '–')
})

test('all is well when nothing says otherwise, and what is not known is named', () => {
  const told = verdict(overviewOf({ indicators: indicatorsOf({ cpu: [3, 'good'] }) }), false, en)
  assert.equal(told.level, 'good')
  assert.equal(told.title, 'All is well')
  assert.deepEqual(told.troubles, [])
  assert.match(told.unknown, /Latency, Reconnects/)
  assert.doesNotMatch(told.unknown, /Processor/)
})

test('the worst decides the headline and comes first', () => {
  const indicators = indicatorsOf({ latency: [0.3, 'warning'], success: [40, 'bad'], cpu: [3, 'good'] })
  const told = verdict(overviewOf({ indicators, letters: { dead: 1, waiting: 0 } }), false, en)
  assert.equal(told.level, 'bad')
  assert.deepEqual(told.troubles, [
    'Too many uploads fail: only 40% succeed.',
    'Devices answer slowly: 300\u00a0ms.',
    'One message to another program was given up.',
  ])
})

test('a station that is not heard, or takes nothing, is not well', () => {
  assert.equal(verdict(overviewOf(), true, zh).title, '需要留意')
  assert.equal(verdict(overviewOf({ status: 'unavailable' }), false, zh).title, '出了问题')
})

test('an indicator of a newer station breaks nothing', () => {
  const strange = { name: 'heat', unit: 'K', value: 300, threshold: 350, better: 'lower', state: 'bad', basis: 1 }
  assert.equal(verdict(overviewOf({ indicators: [strange] }), false, en).level, 'good')
  assert.equal(card(strange, en).label, 'heat')
})

test('more than a phone has room for is told as more than 99', () => {
  assert.deepEqual([1, 99, 100, 12345].map(capped), ['1', '99', '99+', '99+'])
})

test('what was counted is named: watchers, files, or else measurements', () => {
  const told = (name, ...counts) =>
    counts.map((basis) => card({ name, value: 1, threshold: 5, better: 'lower', state: 'good', basis }, en).basis)
  assert.deepEqual(told('reconnects', 0, 1, 26), ['', 'of one watcher', 'of 26 watchers'])
  assert.deepEqual(told('speed', 0, 1, 140), ['', 'from one file', 'from 140 files'])
  assert.deepEqual([...told('success', 2), ...told('disk', 2)], ['from 2 files', 'from 2 files'])
  assert.deepEqual(told('cpu', 1, 30), ['from one measurement', 'from 30 measurements'])
})
