import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const folder = new URL('../../static/vendor/', import.meta.url)
const readme = readFileSync(new URL('README.md', folder), 'utf8')
const listed = new Map(
  [...readme.matchAll(/^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$/gm)].map(([, name, sum]) => [name, sum]),
)

test('every vendored file is listed with its sum, and is what the list says', () => {
  const here = readdirSync(folder).filter((name) => !['README.md', 'package.json'].includes(name))
  assert.deepEqual([...listed.keys()].sort(), here.sort())
  for (const [name, sum] of listed) {
    assert.equal(
      createHash('sha256')
        .update(readFileSync(new URL(name, folder)))
        .digest('hex'),
      sum,
      name,
    )
  }
})

test('nothing that is served evaluates text', () => {
  for (const part of ['../../static/vendor/', '../../static/js/']) {
    const here = new URL(part, import.meta.url)
    for (const name of readdirSync(here, { recursive: true }).filter((each) => each.endsWith('.js'))) {
      assert.doesNotMatch(
        readFileSync(new URL(name, here), 'utf8'),
        /\beval\s*\(|\bnew Function\b|\bFunction\s*\(/,
        name,
      )
    }
  }
})
