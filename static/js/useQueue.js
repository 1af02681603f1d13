// The queue of this browser, joined to what goes along with it: the memory for the next visit, the checksums, the
// screen that stays on. Knows those four; the session and the page are others' affair.

import { computed, onScopeDispose, ref, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { Awake } from './awake.js'
import { Checksums } from './checksums.js'
import { latest } from './frames.js'
import { retrying } from './kinds.js'
import { Memory } from './memory.js'
import { scriptAddresses, scriptLoader } from './scripts.js'
import { Timers } from './timers.js'
import { Uploads } from './uploads.js'

const LIBRARY = '/static/vendor/tus.min.js'
const KEPT = ['fileId', 'url', 'digest', 'file']
const arrives = (entry, before) => entry.phase === 'sent' && before.phase !== 'sent'
const isNews = (entry, before) => KEPT.some((name) => entry[name] !== before[name]) || arrives(entry, before)
// It is lit by a touch; if then nothing is sent, it need not stay so.
const DOZE = 60000
const UNDER_WAY = ['queued', 'sending', 'waiting']

const isOver = ({ phase, problem }) =>
  phase === 'cancelled' || (phase === 'failed' && retrying(problem?.code) === 'never')

/** @param {{homeless: () => void, unheard: () => void}} on see uploads.js */
export function useQueue(env, on) {
  const entries = shallowRef([])
  const awake = ref(false)
  const address = scriptAddresses(env)
  const need = scriptLoader(env, address)
  const library = env.library ?? (() => need(LIBRARY).then(() => env.tus()))
  const screen = new Awake(env, need, (on) => {
    awake.value = on
  })
  const memory = new Memory(env)
  const timers = new Timers(env)
  const checksums = new Checksums(env, address)
  const show = latest(env, () => {
    entries.value = uploads.list()
  })
  const uploads = new Uploads(
    { ...env, library },
    {
      ...on,
      pause: ({ sessionId, fileId }) => (fileId === null ? Promise.resolve() : api.pause(env, sessionId, fileId)),
      recall: ({ sessionId, fileId }) => api.cancel(env, sessionId, fileId).catch(() => {}),
      entry(entry, before) {
        show(true)
        remember(entry, before)
        check(entry)
      },
    },
  )

  function remember(entry, before) {
    if (isOver(entry)) memory.drop(entry)
    else if (before === null ? entry.phase !== 'wanted' : isNews(entry, before)) memory.keep(entry)
  }

  function check({ key, phase, file, digest, checking }) {
    if (checking && (phase === 'cancelled' || phase === 'failed')) {
      checksums.drop(key)
      uploads.entries.change(key, { checking: false })
    } else if (phase === 'sending' && digest === null && !checking && checksums.algorithm !== 'none') {
      uploads.entries.change(key, { checking: true })
      checksums.ask(key, file, (found) => uploads.entries.change(key, { digest: found, checking: false }))
    }
  }

  const busy = computed(() => entries.value.some(({ phase }) => UNDER_WAY.includes(phase)))
  // What is paused is in this page's hands, too.
  const paused = ({ phase, file }) => phase === 'paused' && file !== null
  const held = computed(() => busy.value || entries.value.some(paused))
  watch(busy, (now) => !now && screen.off())

  const leaving = () => memory.flush()
  for (const name of ['pagehide', 'visibilitychange']) env.addEventListener(name, leaving)
  onScopeDispose(() => {
    for (const name of ['pagehide', 'visibilitychange']) env.removeEventListener(name, leaving)
    memory.flush()
    timers.clearAll()
    checksums.close()
    screen.off()
    show.drop()
  })
  return {
    entries,
    awake,
    busy,
    held,
    uploads,
    memory,
    checksums,
    /** Somebody is about to send something. */
    prepare() {
      screen.prepare()
      library().catch(() => {})
    },
    keepOn() {
      screen.on()
      timers.after('sleep', DOZE, () => !busy.value && screen.off())
    },
    letSleep: () => screen.off(),
    /** What was changed is seen now, not with the next frame. */
    shown: () => show.flush(),
    /** Nothing of it is remembered any more, and nothing sent. */
    clear() {
      uploads.clear()
      checksums.close()
      screen.off()
      entries.value = []
    },
  }
}
