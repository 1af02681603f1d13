import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finished, flowing, lost, startPace } from '../../static/js/line.js'
import { dice } from './fakes.mjs'

test('each loss lowers the number at once, and one always goes on', () => {
  const limits = [startPace(0)]
  for (let time = 1; time < 4; time += 1) limits.push(lost(limits.at(-1), time))
  assert.deepEqual(
    limits.map(({ limit }) => limit),
    [3, 1, 1, 1],
  )
})

test('ten seconds of undisturbed sending raise it by one, to three at most', () => {
  let pace = lost(startPace(0), 1000)
  const seen = []
  for (let time = 1000; time <= 40000; time += 500) {
    pace = flowing(pace, time)
    seen.push(`${time} ${pace.limit}`)
  }
  assert.deepEqual(
    ['10500 1', '11000 2', '20500 2', '21000 3', '40000 3'].filter((each) => !seen.includes(each)),
    [],
  )
})

test('a finished file raises it, too', () => {
  assert.equal(finished(lost(startPace(0), 1), 2).limit, 2)
  assert.equal(finished(startPace(0), 2).limit, 3)
})

test('whatever happens, one to three are sent', () => {
  const random = dice(7)
  let pace = startPace(0)
  for (let time = 0; time < 1e6; time += Math.floor(random() * 9000)) {
    pace = [lost, finished, flowing][Math.floor(random() * 3)](pace, time)
    assert.ok(pace.limit >= 1 && pace.limit <= 3 && Number.isInteger(pace.limit))
  }
})
