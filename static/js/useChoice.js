// The files that somebody picked: checked before anything is sent, and told apart from those of an earlier visit that
// wait for just them. Knows limits and verdicts; where the good ones go is the page's affair.

import { computed, shallowRef } from '../vendor/vue.runtime.esm-browser.prod.js'
import * as api from './api.js'
import { check, verdicts } from './checks.js'
import { matched } from './same.js'

/**
 * @param {object} env
 * @param {object} at {config, page, queue, room(), take(files)}: room is how many more the session may have, take gets
 *   those that can go
 */
export function useChoice(env, { config, page, queue, room, take }) {
  const chosen = shallowRef([])
  const refused = shallowRef([])
  // Those of earlier choices of this session: the end tells of them, too.
  const left = shallowRef([])
  let picks = 0

  /** Files of an earlier visit are gone on with at once. @returns {Promise<File[]>} the others */
  async function welcome(files) {
    const wanted = queue.entries.value.filter(({ phase }) => phase === 'wanted')
    if (wanted.length === 0) return files
    const digestOf = (file) => queue.checksums.digest(`pick-${(picks += 1)}`, file)
    const { found, others } = await matched(files, wanted, digestOf)
    if (found.length > 0) queue.keepOn()
    for (const { key, file } of found) queue.uploads.give(key, file)
    return others
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
      const others = await welcome(all)
      const found = await verdictsOf(others)
      setAside()
      refused.value = others
        .map((file, index) => ({ file, problem: limited(found[index]) }))
        .filter(({ problem }) => problem !== null)
      const good = others.filter((_, index) => found[index] === null)
      if (good.length > 0) take(good)
    } finally {
      page.preparing -= all.length
    }
  }

  return {
    chosen,
    refused,
    notTaken: computed(() => [...left.value, ...refused.value]),
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
