// Keeps the place of those who use the keyboard: when the focused button goes with what it did, the focus moves to
// the next thing near it, not to the top of the page.

import { onMounted, onUpdated } from '../vendor/vue.runtime.esm-browser.prod.js'

const FOCUSABLE = 'button:not(:disabled), input:not(:disabled), a[href], summary'

function around(element, end) {
  const path = []
  for (let at = element.parentElement; at !== null && at !== end; at = at.parentElement) path.push(at)
  return path
}

const neighbours = (element) =>
  [element, element.nextElementSibling, element.previousElementSibling].map((each) => each?.querySelector(FOCUSABLE))

/** @param {Ref<Element>} place what is drawn by the component that calls this */
export function useFocus(place) {
  let last = null
  let path = []
  const remember = ({ target }) => {
    last = target
    path = around(target, place.value)
  }
  onMounted(() => place.value.addEventListener('focusin', remember))
  onUpdated(() => {
    if (last === null || last.isConnected || document.activeElement !== document.body) return
    const near = path.filter(({ isConnected }) => isConnected).flatMap(neighbours)
    last = null
    ;(near.find(Boolean) ?? place.value.querySelector('h1'))?.focus()
  })
}
