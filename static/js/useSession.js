// What follows a choice, to the end of a session: which step it is at, and what can be done there. Puts the parts
// together; draws nothing.

import { computed, onScopeDispose, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { actionsOf } from './actions.js'
import { useElsewhere } from './elsewhere.js'
import { latest, together } from './frames.js'
import { rowMaker } from './rows.js'
import { powersOf, sumOf } from './sums.js'
import { useChoice } from './useChoice.js'
import { useLeft } from './useLeft.js'
import { useNetwork } from './useNetwork.js'
import { useQueue } from './useQueue.js'
import { useWebSocket } from './useWebSocket.js'

/**
 * @param {object} browser see pageEnv.js
 * @param {object} page see useUploads.js
 * @param {object} station see useConfig.js
 */
export function useSession(browser, page, station) {
  const env = { ...browser, ...together(browser) }
  const parts = partsOf(env, page, station)
  const actions = actionsOf(parts)
  parts.deeds.of = actions
  const online = useNetwork(env, parts.feed.status, {
    back() {
      parts.queue.uploads.revive()
      actions.revive()
    },
    away: () => parts.queue.uploads.rest(),
  })
  useWatching(parts, actions)
  useLeaving(env, parts.queue.busy)
  if (page.sessionId === null) parts.left.look()
  else actions.follow(page.sessionId)
  return { ...surfaceOf(parts), ...actions.faces, online }
}

function partsOf(env, page, station) {
  // What is done comes last, for it needs all the others.
  const deeds = { of: null }
  const { config } = station
  const feed = useWebSocket(page.sessionId, env)
  const state = shallowRef(feed.state.value)
  const show = latest(env, (now) => {
    state.value = now
  })
  const queue = useQueue(env, { homeless: () => deeds.of.moveOn(), unheard: () => feed.nudge() })
  const room = () => (config.value?.maxFiles ?? Infinity) - choice.chosen.value.length - state.value.files.length
  const choice = useChoice(env, { config, page, queue, state, room, take: (files) => deeds.of.take(files) })
  const elsewhere = useElsewhere(env, { page, queue, state })
  const left = useLeft(env, queue.memory, () => elsewhere.sending())
  const step = stepOf({ page, config, feed, state, entries: queue.entries, chosen: choice.chosen })
  const rows = rowMaker()
  const list = computed(() => rows(state.value, queue.entries.value, elsewhere.watched.value))
  return { env, page, deeds, station, feed, state, show, queue, choice, left, step, list }
}

function useWatching({ station, feed, step, page, show, queue }, actions) {
  // The queue hears everything at once; what is drawn follows with the frames.
  watch(feed.state, show, { flush: 'sync' })
  watch(feed.state, (now) => queue.uploads.heed(now.files))
  const heed = (config) => {
    queue.checksums.algorithm = config?.checksum ?? 'none'
    page.category ??= config?.categories?.[0] ?? null
    if (config?.uploadExpiry) queue.memory.prune(config.uploadExpiry * 1000)
  }
  watch(station.config, heed, { immediate: true })
  watch(step, (now) => ['done', 'gone'].includes(now) && actions.over())
  onScopeDispose(() => {
    show.drop()
    queue.uploads.stopAll()
  })
}

function surfaceOf({ feed, state, queue, choice, left, step, list }) {
  const open = computed(() => step.value === 'sending')
  return {
    step,
    chosen: choice.chosen,
    refused: choice.refused,
    notTaken: choice.notTaken,
    list,
    state,
    status: feed.status,
    transport: feed.transport,
    sum: computed(() => sumOf(list.value, state.value.estimatedTimeRemaining)),
    can: computed(() => powersOf(list.value, open.value)),
    left: left.left,
    wanted: computed(() => wantedOf(list.value)),
    mine: queue.entries,
    busy: queue.busy,
    awake: queue.awake,
    choose: choice.choose,
    unchoose: choice.unchoose,
    dismiss: choice.dismiss,
    forget: left.forget,
  }
}

const wantedOf = (list) =>
  list
    .filter(({ wanted }) => wanted)
    .map(({ key, fileId, name, size, uploaded }) => ({ key, fileId, name, size, uploaded }))

function stepOf({ page, config, feed, state, entries, chosen }) {
  return computed(() => {
    if (config.value === null) return feed.status.value === 'gone' ? 'gone' : 'loading'
    if (page.sessionId === null) return config.value.pinRequired ? 'pin' : 'choose'
    if (feed.status.value === 'gone') return 'gone'
    if (state.value.summary !== null) return 'done'
    if (entries.value.length > 0) return 'sending'
    if (state.value.sessionId === null) return 'loading'
    // A kiosk opened it, and this is the phone that was invited. What is chosen already waits for the button.
    return chosen.value.length > 0 || state.value.files.length === 0 ? 'choose' : 'sending'
  })
}

function useLeaving(env, busy) {
  const ask = (event) => {
    if (!busy.value) return
    event.preventDefault()
    // Older browsers look only at this.
    event.returnValue = ''
  }
  // Going back in the history means another session, or none: the simplest truth is a fresh page.
  const back = () => env.reload()
  env.addEventListener('beforeunload', ask)
  env.addEventListener('popstate', back)
  onScopeDispose(() => {
    env.removeEventListener('beforeunload', ask)
    env.removeEventListener('popstate', back)
  })
}
