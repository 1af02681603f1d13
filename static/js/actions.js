// What somebody does on the page, from the first touch to the next upload. Puts the deeds together and knows how files
// are sent off; keeps nothing itself.

import { onScopeDispose } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { backoff } from './backoff.js'
import { kindOf } from './kinds.js'
import { ordersOf } from './orders.js'
import { Timers } from './timers.js'

const idOf = (file) => file?.fileId ?? file?.id ?? null

/** A session for what is chosen: asked for now, and again by itself while the network or a busy station is to blame. */
function openingOf({ env, page, station, queue, choice }, onOpened) {
  const { chosen } = choice
  const timers = new Timers(env)
  onScopeDispose(() => timers.clearAll())
  let tries = 0
  function failed(problem) {
    page.problem = problem
    if (kindOf(problem.code) === 'network') {
      const delay = backoff(tries, { random: env.random, retryAfter: problem.retryAfter ?? null })
      tries += 1
      page.retryAt = env.now() + delay
      timers.after('open', delay, again)
      return
    }
    queue.letSleep()
    if (problem.code === 'PIN_REQUIRED') station.askPin()
  }
  async function ask() {
    timers.clearAll()
    Object.assign(page, { opening: true, retryAt: null })
    const files = chosen.value
    let opened
    try {
      opened = await api.openSession(env, page.category, files)
    } catch (fault) {
      return failed(fault.problem ?? { code: 'UPLOAD_FAILED' })
    } finally {
      page.opening = false
    }
    page.problem = null
    return onOpened(opened, files)
  }
  function again() {
    if (page.retryAt === null) return undefined
    if (page.sessionId === null && chosen.value.length > 0) return ask()
    // Nothing is left to be sent.
    return Object.assign(page, { retryAt: null, problem: null })
  }
  return {
    again,
    open() {
      tries = 0
      return ask()
    },
  }
}

function sendingOf(parts, place) {
  const { env, page, station, queue, choice, step } = parts
  const { chosen } = choice
  const add = (files) => {
    queue.uploads.add(page.sessionId, files)
    queue.shown()
  }
  const opening = openingOf(parts, (opened, files) => {
    chosen.value = chosen.value.filter((file) => !files.includes(file))
    choice.dismiss()
    place.follow(opened.sessionId)
    env.show(`/s/${opened.sessionId}`)
    add(files.map((file, index) => ({ file, fileId: idOf(opened.files?.[index]) })))
  })
  function begin() {
    // Within the touch: later it would not be allowed.
    queue.keepOn()
    if (page.sessionId === null) return opening.open()
    const files = chosen.value
    chosen.value = []
    return add(files.map((file) => ({ file, fileId: null })))
  }
  return {
    revive: opening.again,
    /** Files that can go: to the list of the first step, or to the session that is under way. */
    take(files) {
      if (['done', 'gone'].includes(step.value)) place.leave()
      if (step.value === 'sending') add(files.map((file) => ({ file, fileId: null })))
      else chosen.value = [...chosen.value, ...files]
    },
    send() {
      if (page.opening || chosen.value.length === 0) return undefined
      // One that waits to be tried again has its category.
      const isAsked = page.retryAt === null && page.sessionId === null && station.config.value.categories.length > 1
      if (!isAsked) return begin()
      page.asking = 'category'
      return undefined
    },
    confirmCategory(name) {
      Object.assign(page, { category: name, asking: null })
      return begin()
    },
  }
}

/** Which session the page is at, and how it comes to another one. */
function placeOf({ env, page, feed, show, queue, choice, left }) {
  const { uploads, memory } = queue
  const place = {
    follow(id) {
      Object.assign(page, { sessionId: id, retryAt: null })
      left.clear()
      const remembered = memory.files(id).filter(({ arrived }) => !arrived)
      if (remembered.length > 0) queue.prepare()
      uploads.restore(id, remembered)
      feed.emitJoinSession(id)
      show(feed.state.value)
      show.flush()
      queue.shown()
      feed.connect()
    },
    leave() {
      feed.disconnect()
      queue.clear()
      if (page.sessionId !== null) memory.forget(page.sessionId)
      Object.assign(page, { sessionId: null, problem: null, asking: null, retryAt: null })
      env.show('/')
      left.look()
    },
    /** The session takes no more: what it has not heard of is kept for another one. */
    moveOn() {
      if (page.sessionId === null) return
      const files = [...choice.chosen.value, ...uploads.evict()]
      place.leave()
      choice.chosen.value = files
      page.problem = { code: 'SESSION_CLOSED' }
    },
    over() {
      const { sessionId } = page
      if (uploads.homeless().length > 0 || choice.chosen.value.length > 0) place.moveOn()
      uploads.dropAll()
      memory.forget(sessionId)
      page.asking = null
    },
    again() {
      place.leave()
      choice.clear()
    },
  }
  return place
}

/** @returns {object} `faces`: what drawing may call; the rest is for the page itself */
export function actionsOf(parts) {
  const { page, env, queue } = parts
  const place = placeOf(parts)
  const { take, revive, ...sending } = sendingOf(parts, place)
  const asking = (what) => () => {
    page.asking = what
  }
  return {
    take,
    /** The station can be reached again. */
    revive,
    follow: place.follow,
    moveOn: place.moveOn,
    over: place.over,
    faces: {
      ...sending,
      ...ordersOf(parts),
      again: place.again,
      goOn({ sessionId }) {
        queue.keepOn()
        env.show(`/s/${sessionId}`)
        place.follow(sessionId)
      },
      askCancelAll: asking('cancelAll'),
      askFinish: asking('finish'),
      closeDialog: asking(null),
    },
  }
}
