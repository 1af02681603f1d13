// What somebody orders of the files under way: pausing, going on, trying again, cancelling. Knows the calls and the
// queue; keeps nothing.

import * as api from './api.js'

/**
 * A call of which a failure is shown on the page, not thrown.
 * @returns {Promise<any>} null when it failed, else what the call gives
 */
export async function attempt(page, call) {
  page.problem = null
  try {
    return await call()
  } catch (fault) {
    page.problem = fault.problem ?? { code: 'UPLOAD_FAILED' }
    return null
  }
}

export function ordersOf({ env, page, queue, list }) {
  const { uploads } = queue
  const order = (call, fileId) => attempt(page, () => call(env, page.sessionId, fileId))
  // What waits to be picked again may be on its way from another tab.
  const isOurs = ({ entry }) => Boolean(uploads.entries.get(entry)?.file)
  const goOn = (row) => {
    queue.keepOn()
    uploads.retry(row.entry)
  }
  // Until the station has answered: to press it again would tell nothing more.
  const once = async (what, call) => {
    if (page.ordered.includes(what)) return
    page.ordered = [...page.ordered, what]
    await call()
    page.ordered = page.ordered.filter((each) => each !== what)
  }
  const all = (name, call) => () => {
    for (const row of list.value.filter((each) => each[name])) call(row)
  }
  const pause = (row) => (isOurs(row) ? uploads.pause(row.entry) : order(api.pause, row.fileId))
  const resume = (row) => (isOurs(row) ? goOn(row) : order(api.resume, row.fileId))
  return {
    pause,
    resume,
    retry: goOn,
    pauseAll: all('canPause', pause),
    resumeAll: all('canResume', resume),
    retryAll: all('canRetry', goOn),
    async cancel(row) {
      // Before the station's list has come the row shows no number, though the queue may know it.
      const fileId = row.fileId ?? uploads.entries.get(row.entry)?.fileId ?? null
      if (fileId === null) uploads.drop(row.entry)
      else await once(row.key, async () => (await order(api.cancel, fileId)) && row.entry && uploads.drop(row.entry))
    },
    cancelAll() {
      page.asking = null
      // Of these the station has not heard: they would be kept for another session.
      for (const { key } of uploads.homeless()) uploads.drop(key)
      return once('cancelAll', async () => (await order(api.cancel, null)) && uploads.dropAll())
    },
    finish() {
      page.asking = null
      return once('finish', () => order(api.complete))
    },
  }
}
