// The composable of the operator's page: the overview, the line to the station, what was just said. Knows Vue; link.js
// works.

import { computed, onScopeDispose, ref, shallowRef } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { Emitter } from '../emitter.js'
import { browserEnv } from '../pageEnv.js'
import { Timers } from '../timers.js'
import { Link } from './link.js'

const NOTICE_FOR = 8000
// A list is not asked for again with every one of many small changes.
const CALM = 2000

/** What the browser has of the things that this page needs. */
export const monitorEnv = () => ({
  ...browserEnv(),
  reload: () => globalThis.location.reload(),
  matchMedia: (query) => globalThis.matchMedia(query),
  uPlot: () => globalThis.uPlot,
})

/** How the line stands while nothing is heard. */
export const DEAF = ['connecting', 'offline']

/** Notices one after the other; a newer one takes the place of the one before. */
function useNotice(timers) {
  const notice = shallowRef(null)
  const say = (name, values = {}) => {
    notice.value = { name, values }
    timers.after('notice', NOTICE_FOR, () => {
      notice.value = null
    })
  }
  return { notice, say }
}

/** A number that grows when lists have to be read again, but not too often. */
function useChanges(timers) {
  const changes = ref(0)
  let known = null
  let waiting = false
  const grow = () => {
    if (timers.has('calm')) {
      waiting = true
      return
    }
    changes.value += 1
    timers.after('calm', CALM, () => {
      if (!waiting) return
      waiting = false
      grow()
    })
  }
  const see = (told) => {
    if (known !== null && told !== known) grow()
    known = told
  }
  return { changes, see, grow }
}

/** A file is told gone once, whoever heard of it first: the answer to the one who deleted it, or the message. */
function useGone(events, say) {
  const gone = new Set()
  return (told) => {
    if (gone.has(told.fileId)) return
    gone.add(told.fileId)
    say(told.by === 'uploader' ? 'saidDeletedUploader' : 'saidDeleted', { name: told.fileName })
    events.tell('gone', told)
  }
}

function useStatus(env, onHeard) {
  const status = ref('connecting')
  const since = ref(env.now() / 1000)
  const follow = (now) => {
    if (now === 'out') {
      env.reload()
      return
    }
    const deaf = DEAF.includes(status.value)
    status.value = now
    since.value = env.now() / 1000
    if (deaf && !DEAF.includes(now)) onHeard()
  }
  return { status, since, follow }
}

export function useMonitor(env = monitorEnv()) {
  const overview = shallowRef(null)
  const timers = new Timers(env)
  const events = new Emitter()
  const { notice, say } = useNotice(timers)
  const { changes, see, grow } = useChanges(timers)
  const forget = useGone(events, say)
  // What happened while nothing was heard is in none of the messages, nor need the first lists have been answered.
  const { status, since, follow } = useStatus(env, grow)

  function take(message) {
    if (['monitor-joined', 'monitor-update'].includes(message.event)) {
      overview.value = message.data
      see(message.data.changes)
    } else if (message.event === 'file-deleted') forget(message.data)
    events.tell('message', message)
  }

  const link = new Link(env, { onMessage: take, onStatus: follow })
  const nudge = () => link.nudge()
  const wakes = ['online', 'pageshow', 'focus']
  for (const name of wakes) env.addEventListener(name, nudge)
  onScopeDispose(() => {
    for (const name of wakes) env.removeEventListener(name, nudge)
    link.stop()
    timers.clearAll()
  })
  link.start()

  /** Tells what a call failed with: who is not the operator any more gets the form. */
  const failed = (problem) => {
    if (problem.code === 'UNAUTHORIZED') env.reload()
  }
  const on = (name, listener) => {
    events.on(name, listener)
    onScopeDispose(() => events.off(name, listener))
  }
  const deaf = computed(() => status.value === 'offline')
  const send = (event, data) => link.send(event, data)
  return { env, overview, status, since, deaf, notice, say, changes, forget, failed, on, send }
}
