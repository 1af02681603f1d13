import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, fill, percent, roughly, seconds, speed } from '../../static/js/format.js'

const NOT_NUMBERS = [null, undefined, NaN, Infinity, -Infinity, -1, '12']

test('bytes are written with three figures at most', () => {
  const cases = [
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '0.98 KB'],
    [1024, '1 KB'],
    [1536, '1.5 KB'],
    [10 * 1024, '10 KB'],
    [123456, '121 KB'],
    [1024 ** 2 - 1, '1 MB'],
    [734003200, '700 MB'],
    [10 * 1024 ** 3, '10 GB'],
    [1.25 * 1024 ** 4, '1.25 TB'],
    [5000 * 1024 ** 5, '5000 PB'],
  ]
  for (const [count, text] of cases) assert.equal(bytes(count), text.replace(' ', '\u00a0'))
})

test('no amount of bytes is longer than a bar has room for', () => {
  for (let power = 0; power < 49; power += 0.01) {
    assert.match(bytes(Math.floor(2 ** power)), /^\d{1,3}(\.\d{1,2})?\u00a0[KMGT]?B$/)
  }
})

test('what is not known is not written', () => {
  for (const value of NOT_NUMBERS) {
    assert.equal(bytes(value), '')
    assert.equal(speed(value), '')
    assert.equal(seconds(value, 'en'), '')
    assert.equal(percent(value), '')
    assert.equal(roughly(value), null)
  }
})

test('speeds are bytes a second', () => {
  assert.equal(speed(3 * 1024 ** 2), '3\u00a0MB/s')
})

test('seconds come in words, in the two largest units', () => {
  const cases = [
    [0.2, 'less than a second', '不到 1 秒'],
    [1, '1 s', '1 秒'],
    [59.4, '59 s', '59 秒'],
    [59.6, '1 min', '1 分'],
    [200, '3 min 20 s', '3 分 20 秒'],
    [3600, '1 h', '1 小时'],
    [3605, '1 h', '1 小时'],
    [7500, '2 h 5 min', '2 小时 5 分'],
    [360000, '100 h', '100 小时'],
  ]
  for (const [span, en, zh] of cases) {
    assert.equal(seconds(span, 'en'), en)
    assert.equal(seconds(span, 'zh-CN'), zh)
  }
})

test('a time to come never counts sixty minutes, and no minutes that are none', () => {
  for (let span = 0; span < 100_000; span += 7) {
    const { unit, count, hours, minutes } = roughly(span)
    if (unit === 'seconds') assert.ok(count >= 10 && count <= 50, `${span}: ${count} s`)
    if (unit === 'minutes') assert.ok(count >= 1 && count < 60, `${span}: ${count} min`)
    if (unit === 'hoursMinutes')
      assert.ok(hours >= 1 && minutes >= 10 && minutes < 60, `${span}: ${hours} h ${minutes}`)
  }
  assert.deepEqual(roughly(3599), { unit: 'hours', hours: 1 })
  assert.deepEqual(roughly(7100), { unit: 'hours', hours: 2 })
  assert.deepEqual(roughly(86401), { unit: 'days' })
})

test('a percentage is rounded down, so that 100 is only shown when all is there', () => {
  assert.equal(percent(99.99), '99%')
  assert.equal(percent(100), '100%')
  assert.equal(percent(120), '100%')
  assert.equal(percent(0), '0%')
})

test('sentences are filled by name, and nothing in a value is taken for a name', () => {
  assert.equal(fill('{a} of {b}, {c}', { a: '{b}', b: 2 }), '{b} of 2, {c}')
  assert.equal(fill('{constructor}', {}), '{constructor}')
})
