// The files that somebody picked: checked before anything is sent; those that an earlier visit waits for go on at once.
// Knows limits and verdicts; where the good ones go is the page's affair.

import { computed, shallowRef, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { check, verdicts } from './checks.js'
import { matched, replaced } from './picked.js'

const HERE = 'ALREADY_HERE'
const GIVEN_UP = ['failed', 'cancelled']

// The old one is given up as soon as the station knows the new one.
function useReplacing(env, queue) {
  const { uploads, memory, entries } = queue
  let waiting = new Map()

  async function giveUp(old, now) {
    if (uploads.entries.get(old.key)?.phase !== 'wanted') return
    if (old.fileId === now.fileId) {
      // The station has put the new one into the place of the old one; so does the queue.
      uploads.entries.remove(old.key)
      memory.drop(old)
      uploads.entries.put({ ...uploads.entries.get(now.key) })
    } else if (old.fileId === null || (await api.cancel(env, old.sessionId, old.fileId).catch(() => null))) {
      uploads.drop(old.key)
    }
  }

  function look(all) {
    for (const [file, old] of waiting) {
      const now = all.find((entry) => entry.file === file)
      if (now?.fileId) giveUp(old, now)
      if (!now || now.fileId || now.phase === 'cancelled') waiting.delete(file)
    }
  }
  watch(entries, look, { flush: 'sync' })
  return (changed) => {
    waiting = new Map([...waiting, ...changed])
  }
}

/**
 * @param {object} env
 * @param {object} at {config, page, queue, state, room(), take(files)}: room is how many more the session may have,
 *   take gets those that can go
 */
export function useChoice(env, { config, page, queue, state, room, take }) {
  const chosen = shallowRef([])
  const refused = shallowRef([])
  // Those of earlier choices of this session: the end tells of them, too.
  const left = shallowRef([])
  let picks = 0

  const replace = useReplacing(env, queue)
  const digestOf = (file) => queue.checksums.digest(`pick-${(picks += 1)}`, file)

  // What the station then did not take may be sent anew.
  function arrived() {
    const lost = state.value.files.filter(({ status }) => GIVEN_UP.includes(status)).map(({ id }) => id)
    return queue.memory.files(page.sessionId).filter((file) => file.arrived && !lost.includes(file.fileId))
  }

  /**
   * Files of an earlier visit are gone on with at once.
   * @returns {Promise<{others: File[], here: File[], changed: Map}>} the others; those that need not be sent again
   */
  async function welcome(files) {
    const wanted = queue.entries.value.filter(({ phase }) => phase === 'wanted')
    const { found, others: unknown } = await matched(files, wanted, digestOf)
    if (found.length > 0) queue.keepOn()
    for (const { key, file } of found) queue.uploads.give(key, file)
    const { found: again, others } = await matched(unknown, arrived(), digestOf)
    return { others, here: again.map(({ file }) => file), changed: replaced(others, files, wanted) }
  }

  function setAside() {
    left.value = [...left.value, ...refused.value]
    refused.value = []
  }

  async function verdictsOf(files) {
    const own = check(files, { ...config.value, maxFiles: room() })
    const asked = files.filter((_, index) => own[index] === null)
    // Unreachable or not: what the station would not take it will say again when the file comes.
    const answer = asked.length === 0 ? null : await api.validate(env, asked).catch(() => null)
    return verdicts(own, answer)
  }

  const limited = (problem) =>
    problem?.code === 'FILE_SIZE_EXCEEDED' ? { ...problem, limit: config.value.maxFileSize } : problem

  /** Takes the files that can go; the others are listed with the reason. */
  async function choose(files) {
    const all = [...files]
    if (all.length === 0) return
    queue.prepare()
    page.preparing += all.length
    try {
      const { others, here, changed } = await welcome(all)
      const found = await verdictsOf(others)
      setAside()
      const judged = others.map((file, index) => ({ file, problem: limited(found[index]) }))
      refused.value = [
        ...here.map((file) => ({ file, problem: { code: HERE } })),
        ...judged.filter(({ problem }) => problem !== null),
      ]
      const good = others.filter((_, index) => found[index] === null)
      if (good.length === 0) return
      replace([...changed].filter(([file]) => good.includes(file)))
      take(good)
    } finally {
      page.preparing -= all.length
    }
  }

  return {
    chosen,
    refused,
    notTaken: computed(() => [...left.value, ...refused.value].filter(({ problem }) => problem.code !== HERE)),
    choose,
    unchoose: (file) => {
      chosen.value = chosen.value.filter((other) => other !== file)
    },
    dismiss: setAside,
    /** For another session. */
    clear() {
      left.value = []
      refused.value = []
    },
  }
}
