import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matched, replaced } from '../../static/js/picked.js'
import { picked } from './fakes.mjs'

const blake3 = (value) => ({ algorithm: 'blake3', value })
const entry = (key, more = {}) => ({ key, name: 'a.mp4', size: 1000, lastModified: 1, digest: null, ...more })

async function match(files, wanted, digests = () => null) {
  const asked = []
  const { found, others } = await matched(files, wanted, async (file) => {
    asked.push(file)
    return digests(file)
  })
  return { found: found.map(({ key }) => key), others, asked: asked.length }
}

test('name, size and time agree: it is the same, and nothing need be read', async () => {
  const result = await match([picked('a.mp4')], [entry('k', { digest: blake3('x') })])
  assert.deepEqual(result, { found: ['k'], others: [], asked: 0 })
})

test('another time of change asks the content, where it is known', async () => {
  const file = picked('a.mp4', 1000, 99)
  assert.deepEqual((await match([file], [entry('k', { digest: blake3('x') })], () => blake3('x'))).found, ['k'])
  assert.deepEqual((await match([file], [entry('k', { digest: blake3('x') })], () => blake3('y'))).others, [file])
  assert.deepEqual((await match([file], [entry('k', { digest: blake3('x') })], () => null)).others, [file])
  assert.deepEqual(await match([file], [entry('k')]), { found: [], others: [file], asked: 0 })
})

test('another name or size is another file', async () => {
  for (const file of [picked('b.mp4'), picked('a.mp4', 999)])
    assert.deepEqual(await match([file], [entry('k', { digest: blake3('x') })], () => blake3('x')), {
      found: [],
      others: [file],
      asked: 0,
    })
})

test('one wanted file is found once, and files of one name each find their own', async () => {
  const twice = [picked('a.mp4'), picked('a.mp4')]
  assert.deepEqual((await match(twice, [entry('k')])).others, [twice[1]])
  const wanted = [entry('k', { digest: blake3('x') }), entry('l', { digest: blake3('y') })]
  const files = [picked('a.mp4', 1000, 8), picked('a.mp4', 1000, 9)]
  const { found } = await match(files, wanted, ({ lastModified }) => blake3(lastModified === 8 ? 'y' : 'x'))
  assert.deepEqual(found, ['l', 'k'])
})

test('a changed file takes the place of the one of its name, where only one is meant', () => {
  const [old, twin] = [entry('k'), entry('l')]
  const changed = picked('a.mp4', 999)
  assert.deepEqual([...replaced([changed], [changed], [old])], [[changed, old]])
  assert.equal(replaced([changed], [changed, picked('a.mp4')], [old]).size, 0)
  assert.equal(replaced([changed], [changed], [old, twin]).size, 0)
  assert.equal(replaced([picked('b.mp4')], [picked('b.mp4')], [old]).size, 0)
})
