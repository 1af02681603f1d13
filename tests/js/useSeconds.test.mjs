import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useSeconds } from '../../static/js/useSeconds.js'
import { effectScope, ref } from '../../static/vendor/vue.runtime.esm-browser.prod.js'

function fakeClock() {
  const env = { time: 1000, ticking: null, now: () => env.time }
  env.setInterval = (tick) => {
    env.ticking = tick
    return 1
  }
  env.clearInterval = () => {
    env.ticking = null
  }
  return env
}

test('the clock ticks only while something counts down', () => {
  const env = fakeClock()
  const needed = ref(false)
  const scope = effectScope()
  const clock = scope.run(() => useSeconds(() => needed.value, env))
  assert.equal(env.ticking, null)
  env.time = 5000
  needed.value = true
  assert.equal(clock.value, 5000)
  env.time = 6000
  env.ticking()
  assert.equal(clock.value, 6000)
  needed.value = false
  assert.equal(env.ticking, null)
  needed.value = true
  scope.stop()
  assert.equal(env.ticking, null)
})
