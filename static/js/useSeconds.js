// A clock that ticks once a second for everything that counts down, and only while something does.

import { onScopeDispose, ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'

const SECOND = 1000

/**
 * @param {() => boolean} needed reactive
 * @param {object} [env] {now, setInterval, clearInterval}
 * @returns {Ref<number>} milliseconds, as Date.now() tells them
 */
export function useSeconds(
  needed,
  env = {
    now: Date.now,
    setInterval: globalThis.setInterval.bind(globalThis),
    clearInterval: globalThis.clearInterval.bind(globalThis),
  },
) {
  const clock = ref(env.now())
  let timer = null
  const tick = () => {
    clock.value = env.now()
  }
  const stop = () => {
    env.clearInterval(timer)
    timer = null
  }
  watch(
    needed,
    (now) => {
      tick()
      if (now && timer === null) timer = env.setInterval(tick, SECOND)
      if (!now && timer !== null) stop()
    },
    // Before the rows are drawn, or the first of them would count from the last time.
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(stop)
  return clock
}
