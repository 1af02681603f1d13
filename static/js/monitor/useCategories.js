// The station's categories, for a filter. None until they are known.

import { shallowRef } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { fetchConfig } from '../api.js'

export function useCategories(at) {
  const names = shallowRef([])
  fetchConfig(at.env).then(
    (config) => {
      names.value = config.categories
    },
    // The list works without; the next part of the page asks again.
    () => {},
  )
  return {
    names,
    options: (words) => [['', words.say('allCategories')], ...names.value.map((name) => [name, words.category(name)])],
  }
}
