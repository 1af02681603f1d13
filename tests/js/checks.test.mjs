import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, extension, pictureOf, verdicts } from '../../static/js/checks.js'

const file = (name, size = 1) => ({ name, size })

test('the extension is what follows the last dot', () => {
  const cases = { 'a.MP4': 'mp4', 'a.tar.gz': 'gz', '.htaccess': '', plain: '', 'a.': '', '视频.MoV': 'mov' }
  for (const [name, found] of Object.entries(cases)) assert.equal(extension(name), found, name)
})

test('each file is judged by size and kind', () => {
  const limits = { allowedTypes: ['mp4', 'jpg'], maxFileSize: 100, maxFiles: 10 }
  const codes = check([file('a.mp4', 100), file('b.mp4', 101), file('c.exe'), file('d.JPG', 0)], limits)
  assert.deepEqual(codes, [null, 'FILE_SIZE_EXCEEDED', 'UNSUPPORTED_FORMAT', null])
})

test('files beyond the number are refused, those refused before take no place', () => {
  const codes = check([file('x.exe'), file('a.mp4'), file('b.mp4'), file('c.mp4')], {
    allowedTypes: ['mp4'],
    maxFiles: 2,
  })
  assert.deepEqual(codes, ['UNSUPPORTED_FORMAT', null, null, 'TOO_MANY_FILES'])
})

test('a star takes anything, and limits that are not known refuse nothing', () => {
  assert.deepEqual(check([file('x.exe', 1e15)], { allowedTypes: ['*'] }), [null])
  assert.deepEqual(check([file('x')], {}), [null])
})

test("the station's word is added to ours", () => {
  const answer = {
    files: [
      { index: 0, valid: true, errors: [] },
      { index: 1, valid: false, errors: [] },
      { index: 2, valid: false, errors: [{ code: 'REJECTED', message: 'no' }] },
    ],
  }
  assert.deepEqual(verdicts([null, 'UNSUPPORTED_FORMAT', null, null, 'TOO_MANY_FILES'], answer), [
    null,
    { code: 'UNSUPPORTED_FORMAT' },
    { code: 'VALIDATION_ERROR' },
    { code: 'REJECTED', message: 'no' },
    { code: 'TOO_MANY_FILES' },
  ])
  assert.deepEqual(verdicts([null], null), [null])
})

test('a file is pictured by its ending, whatever else its name says', () => {
  const cases = {
    'a.MP4': 'film',
    'IMG_1.HEIC': 'image',
    'b.flac': 'music',
    'film.mp4.zip': 'file',
    mp4: 'file',
    '': 'file',
  }
  for (const [name, picture] of Object.entries(cases)) assert.equal(pictureOf(name), picture, name)
})
