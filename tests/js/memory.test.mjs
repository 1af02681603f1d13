import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEntry } from '../../static/js/entries.js'
import { Memory } from '../../static/js/memory.js'
import { Clock, picked } from './fakes.mjs'

const PLACE = 'upload-station'

class Storage {
  constructor() {
    Object.assign(this, { text: null, writes: 0 })
  }
  getItem() {
    return this.text
  }
  setItem(_, text) {
    this.text = text
    this.writes += 1
  }
  removeItem() {
    this.text = null
  }
}

function remember(storage = new Storage(), clock = new Clock()) {
  const env = {
    storage: () => storage,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    now: () => clock.now,
  }
  return { clock, storage, memory: new Memory(env) }
}
const entry = (key, sessionId = 's') => newEntry(key, sessionId, { file: picked(`${key}.mp4`), fileId: `id-${key}` })

test('another visit finds what this one has written', async () => {
  const { clock, storage, memory } = remember()
  memory.keep({ ...entry('a'), url: '/files/a', digest: { algorithm: 'blake3', value: 'ff' } })
  memory.keep(entry('b'))
  await clock.pass(1000)
  assert.deepEqual(remember(storage).memory.sessions(), [
    {
      sessionId: 's',
      at: 250,
      files: [
        {
          key: 'a',
          fileId: 'id-a',
          name: 'a.mp4',
          size: 1000,
          lastModified: 1,
          url: '/files/a',
          digest: { algorithm: 'blake3', value: 'ff' },
          arrived: false,
        },
        {
          key: 'b',
          fileId: 'id-b',
          name: 'b.mp4',
          size: 1000,
          lastModified: 1,
          url: null,
          digest: null,
          arrived: false,
        },
      ],
    },
  ])
})

test('changes of many files are one write', async () => {
  const { clock, storage, memory } = remember()
  for (let number = 0; number < 500; number += 1) memory.keep(entry(`f${number}`))
  await clock.pass(1000)
  assert.deepEqual([storage.writes, memory.files('s').length, clock.timers.size], [1, 500, 0])
})

test('what is over is taken out, and an empty session with it', () => {
  const { storage, memory } = remember()
  memory.keep(entry('a'))
  memory.keep(entry('b'))
  memory.flush()
  memory.drop(entry('a'))
  assert.deepEqual(
    memory.files('s').map(({ key }) => key),
    ['b'],
  )
  memory.drop(entry('b'))
  memory.flush()
  assert.equal(storage.text, null)
})

test('what has arrived stays until the session is over, and then nothing comes back', () => {
  const { storage, memory } = remember()
  memory.keep({ ...entry('a'), phase: 'sent' })
  assert.deepEqual(
    memory.files('s').map(({ key, arrived }) => [key, arrived]),
    [['a', true]],
  )
  memory.forget('s')
  memory.keep({ ...entry('a'), phase: 'sent', digest: { algorithm: 'blake3', value: 'ff' } })
  memory.flush()
  assert.equal(storage.text, null)
})

test('two pages that write do not lose the files of each other', () => {
  const storage = new Storage()
  const [one, two] = [remember(storage).memory, remember(storage).memory]
  one.keep(entry('a'))
  two.keep(entry('b'))
  one.flush()
  two.flush()
  one.keep(entry('c', 't'))
  one.flush()
  assert.deepEqual(
    two
      .sessions()
      .map(({ files }) => files.length)
      .sort(),
    [1, 2],
  )
})

test('a session can be forgotten, and old ones are', async () => {
  const { clock, memory } = remember()
  memory.keep(entry('a', 'old'))
  memory.flush()
  await clock.pass(100000)
  memory.keep(entry('b', 'new'))
  memory.keep(entry('c', 'gone'))
  memory.forget('gone')
  memory.prune(90000)
  assert.deepEqual(
    memory.sessions().map(({ sessionId }) => sessionId),
    ['new'],
  )
})

test('the newest comes first', async () => {
  const { clock, memory } = remember()
  for (const id of ['one', 'two', 'three']) {
    memory.keep(entry('a', id))
    await clock.pass(1000)
  }
  assert.deepEqual(
    memory.sessions().map(({ sessionId }) => sessionId),
    ['three', 'two', 'one'],
  )
})

test('whatever stands there hurts nobody', () => {
  const good = { key: 'a', name: 'a', size: 1 }
  const spoilt = [
    '',
    'null',
    '{',
    '[]',
    '7',
    '{"sessions":null}',
    '{"sessions":{"s":null}}',
    '{"sessions":{"s":{"at":"x","files":{}}}}',
    '{"sessions":{"s":{"at":1,"files":null}}}',
    JSON.stringify({ sessions: { s: { at: 1, files: { b: good } } } }),
    JSON.stringify({ sessions: { s: { at: 1, files: { a: { ...good, size: 'x' } } } } }),
  ] // prettier-ignore
  for (const text of spoilt) {
    const { storage, memory } = remember()
    storage.text = text
    assert.deepEqual(memory.files('s'), [], text)
    memory.keep(entry('k'))
    memory.flush()
    assert.equal(memory.files('s').length, 1, text)
  }
  const { storage, memory } = remember()
  storage.text = JSON.stringify({
    sessions: { s: { at: 1, files: { a: { ...good, url: 7, digest: 'x', fileId: {} } } } },
  })
  assert.deepEqual(memory.files('s'), [
    { key: 'a', fileId: null, name: 'a', size: 1, lastModified: null, url: null, digest: null, arrived: false },
  ])
})

test('a storage that is missing, full or forbidden is done without', () => {
  const refuse = () => {
    throw new Error(PLACE)
  }
  for (const storage of [
    null,
    undefined,
    { getItem: refuse, setItem: refuse, removeItem: refuse },
    { getItem: () => null, setItem: refuse },
  ]) {
    const { memory } = remember(storage)
    memory.keep(entry('a'))
    memory.flush()
    memory.forget('s')
    assert.deepEqual(memory.sessions(), [])
  }
})
