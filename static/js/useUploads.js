// What the page does, from choosing files to the end of a session: which step it is at, and what can be done there.
// Puts the parts together; draws nothing.

import { computed, onScopeDispose, reactive, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { actionsOf } from './actions.js'
import { latest } from './frames.js'
import { pageEnv } from './pageEnv.js'
import { rowMaker } from './rows.js'
import { powersOf, sumOf } from './sums.js'
import { useChoice } from './useChoice.js'
import { useConfig } from './useConfig.js'
import { useLeft } from './useLeft.js'
import { useNetwork } from './useNetwork.js'
import { useQueue } from './useQueue.js'
import { useWebSocket } from './useWebSocket.js'

const startPage = (sessionId) => ({
  sessionId,
  category: null,
  asking: null,
  opening: false,
  problem: null,
  preparing: 0,
})

/** @param {string | null} sessionId the session of this page's address, if it has one */
export function useUploads(sessionId, env = pageEnv()) {
  const page = reactive(startPage(sessionId))
  const parts = partsOf(env, page)
  const actions = actionsOf(parts)
  parts.deeds.of = actions
  const online = useNetwork(env, parts.feed.status, {
    back: () => parts.queue.uploads.revive(),
    away: () => parts.queue.uploads.rest(),
  })
  useWatching(parts, actions)
  useLeaving(env, parts.queue.busy)
  if (sessionId === null) parts.left.look()
  else actions.follow(sessionId)
  parts.station.load()
  return { ...surfaceOf(parts), ...actions.faces, online }
}

function partsOf(env, page) {
  // What is done comes last, for it needs all the others.
  const deeds = { of: null }
  const station = useConfig(env, page)
  const { config } = station
  const feed = useWebSocket(page.sessionId, env)
  const state = shallowRef(feed.state.value)
  const show = latest(env, (now) => {
    state.value = now
  })
  const queue = useQueue(env, () => deeds.of.moveOn())
  const room = () => (config.value?.maxFiles ?? Infinity) - choice.chosen.value.length - state.value.files.length
  const choice = useChoice(env, { config, page, queue, room, take: (files) => deeds.of.take(files) })
  const left = useLeft(env, queue.memory)
  const step = stepOf({ page, config, feed, state, entries: queue.entries, chosen: choice.chosen })
  const rows = rowMaker()
  const list = computed(() => rows(state.value, queue.entries.value))
  return { env, page, deeds, station, feed, state, show, queue, choice, left, step, list }
}

function useWatching({ station, feed, step, page, show, queue }, actions) {
  // The queue hears everything at once; what is drawn follows with the frames.
  watch(feed.state, show, { flush: 'sync' })
  watch(feed.state, (now) => queue.uploads.heed(now.files))
  watch(station.config, (now) => {
    queue.checksums.algorithm = now?.checksum ?? 'none'
    page.category ??= now?.categories?.[0] ?? null
    if (now?.uploadExpiry) queue.memory.prune(now.uploadExpiry * 1000)
  })
  watch(step, (now) => ['done', 'gone'].includes(now) && actions.over())
  onScopeDispose(() => {
    show.drop()
    queue.uploads.stopAll()
  })
}

function surfaceOf({ page, station, feed, state, queue, choice, left, step, list }) {
  const open = computed(() => step.value === 'sending')
  return {
    config: station.config,
    step,
    page,
    chosen: choice.chosen,
    refused: choice.refused,
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
    load: station.load,
    givePin: station.givePin,
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
