// What the page does, for components to draw. Knows what a first look needs: the limits, the step, the buttons. What
// follows a choice comes with rest.js, which is fetched when somebody begins, and asked for until it is here.

import { computed, effectScope, onScopeDispose, reactive, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Awaited } from './awaited.js'
import { pageEnv, PLACE } from './pageEnv.js'
import { useConfig } from './useConfig.js'

// The first signs that somebody is about to choose; there is time while the browser's picker is open.
const SIGNS = ['pointerdown', 'focusin', 'dragenter', 'paste']

const startPage = (sessionId) => ({
  sessionId,
  category: null,
  asking: null,
  // What was pressed and is not answered yet: keys of rows that are cancelled, 'cancelAll', 'finish'.
  ordered: [],
  opening: false,
  // Opening a session is tried again then, by itself.
  retryAt: null,
  problem: null,
  preparing: 0,
})

// What there is to see of a session before the rest of the page is here.
const NOTHING = Object.freeze({
  chosen: [],
  refused: [],
  notTaken: [],
  list: [],
  mine: [],
  left: [],
  wanted: [],
  busy: false,
  awake: false,
  online: true,
  status: 'idle',
  transport: null,
  state: null,
  sum: null,
  can: null,
})

const ONE = ['pause', 'resume', 'cancel', 'retry']
const ALL = ['pauseAll', 'resumeAll', 'retryAll', 'cancelAll', 'finish']
const QUESTIONS = ['confirmCategory', 'askCancelAll', 'askFinish', 'closeDialog']
const DEEDS = [...ONE, ...ALL, ...QUESTIONS, 'unchoose', 'dismiss', 'send', 'goOn', 'forget', 'again']

/** @param {string | null} sessionId the session of this page's address, if it has one */
export function useUploads(sessionId, env = pageEnv()) {
  const page = reactive(startPage(sessionId))
  const station = useConfig(env, page)
  const { rest, session, needed, ask, come } = useRest(env, page, station)
  if (sessionId !== null || hasLeft(env)) ask()
  watch(needed, (now) => now && ask())
  station.load()
  return {
    rest,
    config: station.config,
    page,
    step: computed(() => session.value?.step.value ?? firstStep(page, station.config.value)),
    givePin: station.givePin,
    load() {
      if (needed()) ask()
      return station.load()
    },
    choose: chooser(page, session, come),
    ...facesOf(session),
  }
}

function firstStep({ sessionId }, config) {
  if (config === null || sessionId !== null) return 'loading'
  return config.pinRequired ? 'pin' : 'choose'
}

function facesOf(session) {
  const seen = ([name, nothing]) => [name, computed(() => session.value?.[name].value ?? nothing)]
  const done = (name) => [name, (...all) => session.value?.[name](...all)]
  return Object.fromEntries([...Object.entries(NOTHING).map(seen), ...DEEDS.map(done)])
}

// Files that come before the rest of the page are kept until it can look at them.
function chooser(page, session, come) {
  return async (files) => {
    const all = [...files]
    if (all.length === 0) return
    if (session.value === null) {
      page.preparing += all.length
      await come()
      page.preparing -= all.length
    }
    await session.value.choose(all)
  }
}

/** Whether an earlier visit left something in this browser. */
function hasLeft(env) {
  try {
    return env.storage().getItem(PLACE) !== null
  } catch {
    return false
  }
}

function useRest(env, page, station) {
  const rest = shallowRef(null)
  const session = shallowRef(null)
  const scope = effectScope()
  const waiting = []
  let told = false
  const needed = () => page.preparing > 0 || page.sessionId !== null || station.config.value?.pinRequired === true
  const awaited = new Awaited(env, 'rest.js', {
    came(module) {
      if (told) page.problem = null
      session.value = scope.run(() => module.useSession(env, page, station))
      rest.value = module
      for (const go of waiting) go()
    },
    failed() {
      if (!needed()) return
      page.problem = { code: 'NETWORK_ERROR' }
      told = true
    },
  })
  const ask = () => awaited.ask()
  for (const sign of SIGNS) env.addEventListener(sign, ask)
  onScopeDispose(() => {
    for (const sign of SIGNS) env.removeEventListener(sign, ask)
    awaited.stop()
  })
  const come = () => {
    ask()
    return new Promise((resolve) => waiting.push(resolve))
  }
  return { rest, session, needed, ask, come }
}
