import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptLoader } from '../../static/js/scripts.js'

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
