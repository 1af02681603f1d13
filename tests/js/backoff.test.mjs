import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff, retryAfter } from '../../static/js/backoff.js'

const most = () => 0.999999
const least = () => 0

test('the ceiling doubles with every try until the cap', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6].map((attempt) => backoff(attempt, { base: 1000, cap: 30000, random: most }))
  assert.deepEqual(waits, [999, 1999, 3999, 7999, 15999, 29999, 29999])
})

test('full jitter reaches down to no wait at all', () => {
  assert.equal(backoff(5, { random: least }), 0)
})

test('any attempt gives a finite wait that is not negative', () => {
  for (const attempt of [-1, 0, 31, 1024, 1e9, Infinity]) {
    const wait = backoff(attempt, { random: most })
    assert.ok(Number.isFinite(wait) && wait >= 0 && wait < 30000, String(attempt))
  }
})

test('a wait that the station asked for is never shortened, and stays spread out', () => {
  assert.equal(backoff(0, { random: least, retryAfter: 7000 }), 7000)
  assert.equal(backoff(9, { base: 1000, random: most, retryAfter: 7000 }), 7999)
})

test('Retry-After is read in both its forms', () => {
  const now = Date.UTC(2024, 0, 15, 10, 0, 0)
  assert.equal(retryAfter('120', now), 120000)
  assert.equal(retryAfter(' 0 ', now), 0)
  assert.equal(retryAfter('Mon, 15 Jan 2024 10:00:30 GMT', now), 30000)
  assert.equal(retryAfter('Mon, 15 Jan 2024 09:00:00 GMT', now), 0)
})

test('a Retry-After that makes no sense is as good as none', () => {
  for (const field of [null, undefined, '', 'soon', '-1', '1.5', 'Mon, 99 Foo', '99999999999']) {
    assert.equal(retryAfter(field, 0), null, String(field))
  }
})
