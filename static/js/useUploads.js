// What the page does, from choosing files to the end of a session. Knows the API, the queue and the watching;
// draws nothing.

import { computed, onScopeDispose, reactive, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { check, verdicts } from './checks.js'
import { rowMaker } from './rows.js'
import { Uploads } from './uploads.js'
import { browserEnv, useWebSocket } from './useWebSocket.js'

/** @param {string | null} sessionId the session of this page's address, if it has one */
export function useUploads(sessionId) {
  const env = { ...browserEnv(), XMLHttpRequest: globalThis.XMLHttpRequest }
  const config = shallowRef(null)
  const chosen = shallowRef([])
  const refused = shallowRef([])
  const entries = shallowRef([])
  const page = reactive({ sessionId, category: null, opening: false, problem: null })
  const rows = rowMaker()
  const uploads = new Uploads(env, (now) => {
    entries.value = now
  })
  const feed = useWebSocket(sessionId, env)

  const state = feed.state
  const list = computed(() => rows(state.value, entries.value))
  const step = computed(() => {
    if (page.sessionId === null) return 'choose'
    if (feed.status.value === 'gone') return 'gone'
    return state.value.summary === null ? 'sending' : 'done'
  })
  const busy = computed(
    () =>
      step.value === 'sending' && entries.value.some(({ phase }) => ['queued', 'sending', 'waiting'].includes(phase)),
  )

  watch(state, (now) => uploads.heed(now.files))
  watch(step, (now) => {
    if (now === 'done' || now === 'gone') uploads.dropAll()
  })

  let wasOffline = false
  watch(feed.status, (now) => {
    if (wasOffline && ['live', 'polling'].includes(now)) uploads.revive()
    wasOffline = now === 'offline' || (wasOffline && now !== 'live' && now !== 'polling')
  })

  /** Runs a call of the API; what went wrong is shown, not thrown. */
  async function attempt(call) {
    page.problem = null
    try {
      return await call()
    } catch (fault) {
      page.problem = fault.problem ?? { code: 'UPLOAD_FAILED' }
      return null
    }
  }

  async function load() {
    config.value = (await attempt(() => api.fetchConfig(env))) ?? config.value
    page.category ??= config.value?.categories[0] ?? null
  }

  /** Takes the files that can go; the others are listed with the reason. */
  async function choose(files) {
    const all = [...files]
    if (all.length === 0) return
    const room = config.value.maxFiles - (step.value === 'choose' ? chosen.value.length : state.value.files.length)
    const own = check(all, { ...config.value, maxFiles: room })
    const asked = all.filter((_, index) => own[index] === null)
    const answer = asked.length === 0 ? null : await attempt(() => api.validate(env, asked))
    const found = verdicts(own, answer)
    refused.value = all
      .map((file, index) => ({ file, problem: found[index] }))
      .filter(({ problem }) => problem !== null)
    const good = all.filter((_, index) => found[index] === null)
    if (step.value === 'choose') chosen.value = [...chosen.value, ...good]
    else if (step.value === 'sending')
      uploads.add(
        page.sessionId,
        good.map((file) => ({ file, fileId: null })),
      )
    else refused.value = all.map((file, index) => ({ file, problem: found[index] ?? { code: 'SESSION_CLOSED' } }))
  }

  async function send() {
    if (page.opening || chosen.value.length === 0) return
    page.opening = true
    const files = chosen.value
    const opened = await attempt(() => api.openSession(env, page.category, files))
    page.opening = false
    if (opened === null) return
    chosen.value = []
    refused.value = []
    follow(opened.sessionId)
    history.pushState(null, '', `/s/${opened.sessionId}${location.search}`)
    uploads.add(
      opened.sessionId,
      files.map((file, index) => ({ file, fileId: idOf(opened.files?.[index]) })),
    )
  }

  function follow(id) {
    page.sessionId = id
    feed.emitJoinSession(id)
    feed.connect()
  }

  async function cancel(row) {
    if (row.fileId === null) uploads.drop(row.entry)
    else if ((await attempt(() => api.cancel(env, page.sessionId, row.fileId))) && row.entry) uploads.drop(row.entry)
  }

  const cancelAll = async () => {
    if (await attempt(() => api.cancel(env, page.sessionId))) uploads.dropAll()
  }

  function again() {
    feed.disconnect()
    uploads.clear()
    refused.value = []
    Object.assign(page, { sessionId: null, problem: null })
    history.pushState(null, '', `/${location.search}`)
  }

  const ask = (event) => {
    if (!busy.value) return
    event.preventDefault()
    // Older browsers look only at this.
    event.returnValue = ''
  }
  // Going back in the history means another session, or none: the simplest truth is a fresh page.
  const back = () => location.reload()
  addEventListener('beforeunload', ask)
  addEventListener('popstate', back)
  onScopeDispose(() => {
    removeEventListener('beforeunload', ask)
    removeEventListener('popstate', back)
    uploads.clear()
  })
  if (sessionId !== null) feed.connect()
  load()

  return {
    config,
    chosen,
    refused,
    page,
    list,
    step,
    busy,
    state,
    status: feed.status,
    transport: feed.transport,
    mine: entries,
    load,
    choose,
    send,
    cancel,
    cancelAll,
    again,
    retry: (row) => uploads.retry(row.entry),
    unchoose: (file) => {
      chosen.value = chosen.value.filter((other) => other !== file)
    },
    dismiss: () => {
      refused.value = []
    },
  }
}

const idOf = (file) => file?.fileId ?? file?.id ?? null
