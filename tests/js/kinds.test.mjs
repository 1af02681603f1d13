import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS } from '../../static/js/errors.js'
import { isLoss, kindOf, retrying } from '../../static/js/kinds.js'

test('what the network lost is tried for ever, what the station did a few times, the rest by hand or never', () => {
  const cases = {
    NETWORK_ERROR: 'itself',
    STALLED: 'itself',
    OFFLINE: 'itself',
    TOO_MANY_CONNECTIONS: 'itself',
    UPLOAD_LOCKED: 'itself',
    SERVER_ERROR: 'tries',
    UPLOAD_GONE: 'tries',
    NEVER_HEARD_OF: 'tries',
    INSUFFICIENT_STORAGE: 'hand',
    CHECKSUM_MISMATCH: 'hand',
    FILE_UNREADABLE: 'hand',
    UNSUPPORTED_FORMAT: 'never',
    SESSION_CLOSED: 'never',
  }
  for (const [code, how] of Object.entries(cases)) assert.equal(retrying(code), how, code)
})

test('no file is tried again by itself for something that is wrong with it', () => {
  for (const code of Object.keys(ERRORS).filter((each) => kindOf(each) === 'file' && each !== 'UPLOAD_GONE'))
    assert.ok(['hand', 'never'].includes(retrying(code)), code)
})

test('where an upload stands says nothing about the line', () => {
  assert.deepEqual(['NETWORK_ERROR', 'STALLED', 'OFFSET_MISMATCH', 'UPLOAD_LOCKED', 'SERVER_ERROR'].map(isLoss), [
    true,
    true,
    false,
    false,
    false,
  ])
})
