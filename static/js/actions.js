// What somebody does on the page, from the first touch to the next upload. Puts the deeds together and knows how files
// are sent off; keeps nothing itself.

import * as api from './api.js'
import { attempt, ordersOf } from './orders.js'
import { placeOf } from './place.js'

const idOf = (file) => file?.fileId ?? file?.id ?? null

function sendingOf({ env, page, station, queue, choice, step }, place) {
  const { chosen } = choice
  const add = (files) => {
    queue.uploads.add(page.sessionId, files)
    queue.shown()
  }
  async function open() {
    page.opening = true
    const files = chosen.value
    const opened = await attempt(page, () => api.openSession(env, page.category, files))
    page.opening = false
    if (opened === null) {
      queue.letSleep()
      if (page.problem.code === 'PIN_REQUIRED') station.askPin()
      return
    }
    chosen.value = chosen.value.filter((file) => !files.includes(file))
    choice.dismiss()
    place.follow(opened.sessionId)
    env.show(`/s/${opened.sessionId}`)
    add(files.map((file, index) => ({ file, fileId: idOf(opened.files?.[index]) })))
  }
  function begin() {
    // Within the touch: later it would not be allowed.
    queue.keepOn()
    if (page.sessionId === null) return open()
    const files = chosen.value
    chosen.value = []
    return add(files.map((file) => ({ file, fileId: null })))
  }
  return {
    /** Files that can go: to the list of the first step, or to the session that is under way. */
    take(files) {
      if (['done', 'gone'].includes(step.value)) place.leave()
      if (step.value === 'sending') add(files.map((file) => ({ file, fileId: null })))
      else chosen.value = [...chosen.value, ...files]
    },
    send() {
      if (page.opening || chosen.value.length === 0) return undefined
      if (page.sessionId !== null || station.config.value.categories.length < 2) return begin()
      page.asking = 'category'
      return undefined
    },
    confirmCategory(name) {
      Object.assign(page, { category: name, asking: null })
      return begin()
    },
  }
}

/** @returns {object} `faces`: what drawing may call; the rest is for the page itself */
export function actionsOf(parts) {
  const { page, env, queue } = parts
  const place = placeOf(parts)
  const { take, ...sending } = sendingOf(parts, place)
  const asking = (what) => () => {
    page.asking = what
  }
  return {
    take,
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
