import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptAddresses, scriptLoader } from '../../static/js/scripts.js'

function loader() {
  const scripts = []
  const document = {
    createElement() {
      const script = { remove: () => scripts.splice(scripts.indexOf(script), 1) }
      return script
    },
    head: { append: (script) => scripts.push(script) },
  }
  return { scripts, need: scriptLoader({ document }, (path) => `trusted ${path}`) }
}

test('a library is fetched once, by its trusted address', async () => {
  const { scripts, need } = loader()
  const first = need('/static/vendor/a.js')
  need('/static/vendor/a.js')
  assert.deepEqual(
    scripts.map(({ src }) => src),
    ['trusted /static/vendor/a.js'],
  )
  scripts[0].onload()
  await first
  await need('/static/vendor/a.js')
  assert.equal(scripts.length, 1)
})

test('one that did not come is asked for again', async () => {
  const { scripts, need } = loader()
  const first = need('/a.js')
  scripts[0].onerror()
  await assert.rejects(first)
  assert.equal(scripts.length, 0)
  const second = need('/a.js')
  scripts[0].onload()
  await second
})

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
