import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pictureOf } from '../../static/js/checks.js'

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
