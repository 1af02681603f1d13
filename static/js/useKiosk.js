// The composable of the kiosk's screen: the visit in the words that components draw. Knows Vue; visits.js works.

import { computed, onScopeDispose, reactive, shallowRef } from '../vendor/vue.runtime.esm-browser.prod.js'
import { givePin } from './api.js'
import { Awake } from './awake.js'
import { browserEnv } from './pageEnv.js'
import { away, flowing, secondsLeft, started } from './stage.js'
import { Timers } from './timers.js'
import { newVisit } from './visit.js'
import { Visits } from './visits.js'

/** What the browser has of the things that a kiosk needs. */
export const kioskEnv = () => ({
  ...browserEnv(),
  moment: () => performance.now(),
  wakeLock: globalThis.navigator?.wakeLock,
})

const same = (one, other) =>
  one === other || (one && other && Object.keys(other).every((name) => one[name] === other[name]))

// A PIN that somebody typed and left is not for who comes next.
const LEFT_BEHIND = 60000

/** What pin.js draws: the answer to a PIN, and what was wrong with the last one. */
function usePin(env, onRight) {
  const page = reactive({ problem: null })
  const timers = new Timers(env)
  onScopeDispose(() => timers.clearAll())
  async function give(pin) {
    page.problem = null
    try {
      await givePin(env, pin)
    } catch (fault) {
      page.problem = fault.problem ?? { code: 'SERVER_ERROR' }
      return false
    }
    timers.clearAll()
    onRight()
    return true
  }
  return { page, givePin: give, later: (call) => timers.after('left', LEFT_BEHIND, call) }
}

// Numbers and words, not the visit itself: it is a new one with every tick, and the screen is not.
const shown = (visit) => ({
  stage: computed(() => visit.value.stage),
  started: computed(() => started(visit.value)),
  sessionId: computed(() => visit.value.sessionId),
  handed: computed((old) => (same(old, visit.value.handed) ? old : visit.value.handed)),
  left: computed(() => secondsLeft(visit.value)),
  away: computed(() => away(visit.value)),
  problem: computed(() => visit.value.problem),
  asking: computed(() => visit.value.asking),
  ending: computed(() => visit.value.ending !== null),
  flowing: computed(() => flowing(visit.value)),
  /** flowing, and not only when the station was last seen */
  moving: computed(() => flowing(visit.value) && !away(visit.value)),
  unfinished: computed(() => visit.value.files.open),
})

const summed = ({ totalProgress, files, completedFiles }) => ({
  progress: totalProgress,
  count: files.length,
  done: completedFiles,
})

const followed = (feed) => ({
  /** rows, as rows.js makes them */
  list: computed(() => feed.value?.makeRows(feed.value.state.value, []) ?? []),
  sum: computed(() => (feed.value ? summed(feed.value.state.value) : { progress: 0, count: 0, done: 0 })),
  state: computed(() => feed.value?.state.value ?? null),
  category: computed(() => feed.value?.state.value.category ?? null),
  status: computed(() => feed.value?.status.value ?? 'connecting'),
  transport: computed(() => feed.value?.transport.value ?? null),
})

/** @param {string} category where the files of this kiosk go */
export function useKiosk(category, env = kioskEnv()) {
  const visit = shallowRef(newVisit())
  const feed = shallowRef(null)
  const config = shallowRef(null)
  const visits = new Visits(
    env,
    category,
    (now, watched) => {
      visit.value = now
      feed.value = watched
    },
    (now) => {
      config.value = now
    },
  )
  // Nobody touches a kiosk to begin with, and only a lock does without a touch.
  const awake = new Awake(env, null)
  visits.start()
  awake.on()
  onScopeDispose(() => {
    visits.stop()
    awake.off()
  })
  const button = (name) => () => visits.tell(name)
  const buttons = Object.fromEntries(['done', 'sure', 'stay', 'moreTime', 'next'].map((name) => [name, button(name)]))
  return { ...shown(visit), ...followed(feed), config, ...usePin(env, button('admitted')), ...buttons }
}
