// The language of the page: its words, and the switch between the two. Needs no reload, so that nothing is broken off.

import { computed, onScopeDispose, shallowRef, watchEffect } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Awaited } from './awaited.js'
import { key, wordsFor } from './words.js'

const YEAR = 365 * 24 * 60 * 60

const otherThan = (language) => (key(language) === 'zh' ? 'en' : 'zh-CN')

/** The module with the sentences of a language. */
export const sentencesOf = (language) => `${key(language)}.js`

/**
 * @param {string} language "zh-CN" or "en", as in <html lang>
 * @param {object} strings its sentences; those of the other language are fetched when somebody wants them
 * @param {object} env {document, location, history}, and what Awaited needs
 */
export function useLanguage(language, strings, env) {
  const spoken = shallowRef({ language, strings })
  const words = computed(() => wordsFor(spoken.value.language, spoken.value.strings))
  const other = computed(() => otherThan(spoken.value.language))
  const known = new Map([[language, strings]])
  watchEffect(() => {
    env.document.documentElement.lang = spoken.value.language
  })

  function turn() {
    spoken.value = { language: other.value, strings: known.get(other.value) }
    env.document.cookie = `lang=${spoken.value.language}; Path=/; Max-Age=${YEAR}; SameSite=Lax`
    // In the address it would win over the cookie at the next visit.
    const address = new URL(env.location.href)
    if (!address.searchParams.has('lang')) return
    address.searchParams.delete('lang')
    env.history.replaceState(env.history.state, '', address.pathname + address.search + address.hash)
  }

  const awaited = new Awaited(env, sentencesOf(other.value), {
    came({ STRINGS }) {
      known.set(other.value, STRINGS)
      turn()
    },
  })
  onScopeDispose(() => awaited.stop())
  return { words, other, change: () => (known.has(other.value) ? turn() : awaited.ask()) }
}
