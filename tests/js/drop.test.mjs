import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropped, filesIn, withoutClutter } from '../../static/js/drop.js'

// Entries as browsers hand them out: callbacks, and a hundred children at a time.
const fileEntry = (name) => ({ name, isFile: true, file: (done) => done({ name }) })
const folderEntry = (name, children, batch = 100) => ({
  name,
  isDirectory: true,
  createReader() {
    let at = 0
    return { readEntries: (done) => done(children.slice(at, (at += batch))) }
  },
})
const names = (files) => files.map(({ name }) => name)

test('all files of a folder come, not only the first hundred', async () => {
  const children = Array.from({ length: 250 }, (_, index) => fileEntry(`${index}.jpg`))
  assert.equal((await filesIn([folderEntry('holiday', children)])).length, 250)
})

test('folders in folders are opened, in their order', async () => {
  const deep = folderEntry('a', [
    fileEntry('1'),
    folderEntry('b', [folderEntry('c', [fileEntry('2')])]),
    fileEntry('3'),
  ])
  assert.deepEqual(names(await filesIn([deep, fileEntry('4')])), ['1', '2', '3', '4'])
})

test('what systems leave in folders stays there, but a hidden file that was dropped itself goes', async () => {
  const folder = folderEntry('a', ['.DS_Store', 'Thumbs.db', 'desktop.ini', '.git', 'film.mp4'].map(fileEntry))
  assert.deepEqual(names(await filesIn([folder, fileEntry('.profile')])), ['film.mp4', '.profile'])
  assert.deepEqual(names(withoutClutter([{ name: '.DS_Store' }, { name: 'a.mp4' }])), ['a.mp4'])
})

test('what cannot be read is left out, and the rest comes', async () => {
  const broken = { name: 'x', isFile: true, file: (_, fail) => fail(new Error('gone')) }
  const locked = {
    name: 'y',
    isDirectory: true,
    createReader: () => ({ readEntries: (_, fail) => fail(new Error('no')) }),
  }
  assert.deepEqual(names(await filesIn([broken, locked, fileEntry('z')])), ['z'])
})

test('a browser without entries gives its files', async () => {
  const file = { name: 'a.mp4' }
  assert.deepEqual(dropped({ items: [], files: [file] }), [file])
  assert.deepEqual(dropped({ items: [{ kind: 'string' }, { kind: 'file', getAsFile: () => file }] }), [file])
  assert.deepEqual(await filesIn([file]), [file])
})
