// Templates as tagged strings: htm on Vue's h. No compiler runs, so the page's policy can forbid eval.

import htm from '../vendor/htm.module.js'
import { h } from '../vendor/vue.runtime.esm-browser.prod.js'

export const html = htm.bind(function element(type, props, ...children) {
  // htm would hand out one and the same vnode for parts that never change; Vue wants a new one for every drawing.
  this[0] = 3
  // An empty list would count as content, and components with content are drawn anew every time.
  return children.length === 0 ? h(type, props) : h(type, props, children.flat(Infinity))
})
