import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STRINGS as EN } from '../../static/js/en.js'
import { key, retryable } from '../../static/js/words.js'
import { STRINGS as ZH } from '../../static/js/zh.js'
import { wordsIn } from './fakes.mjs'

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(ZH).sort(), Object.keys(EN).sort())
})

test('both languages fill the same places of each sentence', () => {
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
  for (const name of Object.keys(ZH)) assert.deepEqual(places(ZH[name]), places(EN[name]), name)
})

test('no sentence is empty', () => {
  for (const strings of [ZH, EN])
    for (const [name, text] of Object.entries(strings)) assert.ok(text.trim(), name)
})

test('the language of the page decides', () => {
  for (const language of ['zh-CN', 'zh', 'ZH-Hant']) assert.equal(key(language), 'zh')
  for (const language of ['en', 'en-GB', '', undefined]) assert.equal(key(language), 'en')
})

test('an error is told by its code, with advice and whom to ask', () => {
  const words = wordsIn('en')
  assert.deepEqual(words.error({ code: 'SERVER_ERROR', details: 'x', requestId: 'a1' }, 'Mia'), {
    kind: 'system',
    message: 'The station had a fault of its own. ',
    advice: 'Try again later; if it fails again, ask Mia.',
    details: 'Details: x',
    help: 'If you need help, tell Mia this number: a1',
  })
  assert.match(words.error({ code: 'SERVER_ERROR' }).advice, /the person who runs this station/)
  assert.equal(wordsIn('zh-CN').error({ code: 'FILE_SIZE_EXCEEDED' }).message, '文件太大\uff0c')
})

test('only what somebody has to look after asks for its number', () => {
  const help = (code) => wordsIn('en').error({ code, requestId: 'a1' }).help
  assert.equal(help('NETWORK_ERROR'), '')
  assert.equal(help('UNSUPPORTED_FORMAT'), '')
  assert.equal(help('PIN_WRONG'), '')
  assert.match(help('INSUFFICIENT_STORAGE'), /a1/)
  assert.match(help('NEW'), /a1/)
})

test('long details are cut between words', () => {
  const details = `allowed: ${Array.from({ length: 200 }, (_, index) => `t${index}`).join(', ')}`
  const told = wordsIn('en').error({ code: 'UNSUPPORTED_FORMAT', details }).details
  assert.ok(told.length < 140)
  assert.match(told, /, t\d+ …$/)
})

test('what goes wrong on this side only has words too', () => {
  const en = wordsIn('en')
  assert.match(en.error({ code: 'FILE_UNREADABLE' }).advice, /choose it again/)
  assert.equal(en.error({ code: 'FILE_UNREADABLE' }).kind, 'file')
  for (const code of ['OFFLINE', 'STALLED']) {
    assert.equal(en.error({ code }).kind, 'network')
    assert.match(en.error({ code }).advice, /Check the connection/)
  }
  assert.equal(wordsIn('zh-CN').error({ code: 'FILE_UNREADABLE' }).message, '这个文件已被修改或移走\uff0c')
})

test('the time that is left is told as roughly as it is known', () => {
  const cases = [
    [3, 'almost done', '马上就好'],
    [41, 'about 50 s left', '还需约 50 秒'],
    [51, 'about 1 min left', '还需约 1 分钟'],
    [170, 'about 3 min left', '还需约 3 分钟'],
    [3600, 'about 1 h left', '还需约 1 小时'],
    [4800, 'about 1 h 20 min left', '还需约 1 小时 20 分钟'],
    [90000, 'more than a day left', '还需一天以上'],
    [null, '', ''],
  ]
  for (const [span, en, zh] of cases) {
    assert.equal(wordsIn('en').left(span), en)
    assert.equal(wordsIn('zh-CN').left(span), zh)
  }
})

test('files are counted as people count', () => {
  assert.equal(wordsIn('en').files(1), '1 file')
  assert.equal(wordsIn('en').files(0), '0 files')
  assert.equal(wordsIn('zh-CN').files(3), '3 个文件')
})

test('a cancelled file says why, unless it was simply wished', () => {
  assert.equal(wordsIn('en').cancelled('user'), 'Cancelled')
  assert.equal(wordsIn('en').cancelled('expired'), 'Cancelled · nobody came back to go on with it')
  assert.equal(wordsIn('zh-CN').cancelled(null), '已取消')
})

test('an error with an unknown code still says something', () => {
  assert.equal(wordsIn('en').error({ code: 'NEW', message: 'Something new.' }).message, 'Something new.')
  assert.equal(wordsIn('en').error({}).message, 'Failed')
  assert.equal(wordsIn('en').error(null).message, 'Failed')
})

test('the two categories of the start have names, any other is its own', () => {
  assert.equal(wordsIn('zh-CN').category('personal'), '个人视频')
  assert.equal(wordsIn('en').category('scenic'), 'Scenic videos')
  assert.equal(wordsIn('en').category('send'), 'send')
  assert.equal(wordsIn('en').category('constructor'), 'constructor')
})

test('a fault of unknown kind may be tried again, a refusal may not', () => {
  assert.equal(retryable('NETWORK_ERROR'), true)
  assert.equal(retryable('UNSUPPORTED_FORMAT'), false)
  assert.equal(retryable('NEW'), true)
})

test('a file that is too large is told how large it may be', () => {
  const told = (language) => wordsIn(language).error({ code: 'FILE_SIZE_EXCEEDED', limit: 2 ** 30 }).details
  assert.deepEqual([told('zh-CN'), told('en')], ['最大 1\u00a0GB', 'At most 1\u00a0GB.'])
})

test('details in English are not put among Chinese words, unless they are for the staff', () => {
  const told = (code, details) => wordsIn('zh-CN').error({ code, details }).details
  assert.equal(told('UNSUPPORTED_FORMAT', 'the content looks like application/x-executable'), '')
  assert.equal(told('SERVER_ERROR', 'the disk'), '说明：the disk')
  assert.equal(told('REJECTED', '含有病毒'), '说明：含有病毒')
})
