import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptAddresses } from '../../static/js/trusted.js'

const WORKER = '/static/js/worker/checksum.js'

test('where the policy wants it, an address is made through the policy of its name, once', () => {
  const made = []
  const trustedTypes = {
    createPolicy(name, { createScriptURL }) {
      made.push(name)
      return { createScriptURL: (path) => ({ trusted: createScriptURL(path) }) }
    },
  }
  const address = scriptAddresses({ trustedTypes })
  assert.deepEqual(address(WORKER), { trusted: WORKER })
  address('/static/vendor/NoSleep.min.js')
  assert.deepEqual(made, ['station'])
})

test('elsewhere it is the path itself', () => {
  assert.equal(scriptAddresses({})(WORKER), WORKER)
})

test("nothing but the station's own scripts has an address", () => {
  const address = scriptAddresses({})
  for (const path of [
    '//evil/x.js',
    'http://evil/static/vendor/x.js',
    'data:,1',
    '/static/vendor/../../x',
    '/files/x',
    '/static/vendor/?x',
  ])
    assert.throws(() => address(path), TypeError, path)
})
