// Which session the page is at, and how it comes to another one. Knows the parts that have to follow; calls nothing.

export function placeOf({ env, page, feed, show, queue, choice, left }) {
  const { uploads, memory } = queue
  const place = {
    follow(id) {
      page.sessionId = id
      left.clear()
      const remembered = memory.files(id)
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
      Object.assign(page, { sessionId: null, problem: null, asking: null })
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
