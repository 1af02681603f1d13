// The language of the page: its words, and the switch between the two. Needs no reload, so that nothing is broken off.

import { computed, ref, watchEffect } from '../vendor/vue.runtime.esm-browser.prod.js'
import { wordsFor } from './words.js'

const YEAR = 365 * 24 * 60 * 60

/**
 * @param {string} language "zh-CN" or "en", as in <html lang>
 * @param {object} [page] the window: {document, location, history}
 */
export function useLanguage(language, page = globalThis) {
  const spoken = ref(language)
  const words = computed(() => wordsFor(spoken.value))
  const other = computed(() => (spoken.value.startsWith('zh') ? 'en' : 'zh-CN'))
  watchEffect(() => {
    page.document.documentElement.lang = spoken.value
  })

  function change() {
    spoken.value = other.value
    page.document.cookie = `lang=${spoken.value}; Path=/; Max-Age=${YEAR}; SameSite=Lax`
    // In the address it would win over the cookie at the next visit.
    const address = new URL(page.location.href)
    if (!address.searchParams.has('lang')) return
    address.searchParams.delete('lang')
    page.history.replaceState(page.history.state, '', address.pathname + address.search + address.hash)
  }

  return { words, other, change }
}
