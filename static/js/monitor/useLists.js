// Composables over the station's lists: asked, read again when something changed, given up with their component.

import { onScopeDispose, reactive, shallowRef, watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { Pages } from './pages.js'
import { DEAF } from './useMonitor.js'
import { keepAsked, routeOf } from './useRoute.js'

function useList(at, fetch, name) {
  const list = shallowRef(null)
  const pages = new Pages(
    (asked) => fetch(at.env, asked),
    name,
    (state) => {
      list.value = state
      if (state.problem) at.failed(state.problem)
    },
  )
  list.value = pages.state
  watch(at.changes, () => pages.refresh())
  onScopeDispose(() => pages.stop())
  return { list, pages }
}

const LONGEST = 200
const MOST_ROWS = 1000

/**
 * A list whose question, and how much of the answer is shown, stand in the page's address: there they are found again.
 * @param {object} at useMonitor
 * @param {(env: object, asked: object) => Promise<object>} fetch
 * @param {string} name of the list in an answer, and of its part of the page
 * @param {Object<string, string>} plain the question that no address need hold
 */
export function useAsked(at, fetch, name, plain) {
  const { asked: given } = routeOf(at.env.location.hash)
  const asked = reactive({ ...plain })
  for (const field of Object.keys(plain)) asked[field] = (given[field] ?? plain[field]).slice(0, LONGEST)
  const { list, pages } = useList(at, fetch, name)
  let over = false
  const keep = (rows) => {
    const changed = Object.entries(asked).filter(([field, value]) => value !== plain[field])
    keepAsked(at.env, name, { ...Object.fromEntries(changed), rows: rows > pages.size ? rows : '' })
  }
  const put = (field) => (value) => {
    asked[field] = value
  }
  // Without more to be had, it is asked once more for what could not be had.
  const more = async () => {
    await (list.value.next === null ? pages.refresh() : pages.more())
    if (!over) keep(list.value.rows.length)
  }
  pages.ask({ ...asked }, Math.min(MOST_ROWS, Math.trunc(given.rows) || 0))
  watch(asked, () => {
    keep(0)
    pages.ask({ ...asked })
  })
  onScopeDispose(() => {
    over = true
  })
  return { asked, list, put, more, drop: (isGone) => pages.drop(isGone), refresh: () => pages.refresh() }
}

/**
 * A value that is asked for now, whenever `source` changes, and every `span` milliseconds; the last one stays when a
 * call fails.
 * @param {() => Promise<object>} fetch
 */
export function useFetched(at, fetch, source, span = null) {
  const value = shallowRef(null)
  const problem = shallowRef(null)
  let turn = 0
  let timer = null
  async function load() {
    const mine = (turn += 1)
    at.env.clearTimeout(timer)
    try {
      const answer = await fetch()
      if (mine !== turn) return
      value.value = answer
      problem.value = null
    } catch (fault) {
      if (mine !== turn) return
      problem.value = fault.problem ?? { code: 'SERVER_ERROR' }
      at.failed(problem.value)
    }
    if (span !== null) timer = at.env.setTimeout(load, span)
  }
  watch(source, load, { immediate: true })
  onScopeDispose(() => {
    turn += 1
    at.env.clearTimeout(timer)
  })
  return { value, problem, load }
}

/**
 * Orders that somebody gives by a button. What went wrong with the last one is said beside it, but not for ever: neither
 * when another thing is asked (`forget`), nor when the station is back that it was lost with.
 */
export function useOrder(at) {
  const problem = shallowRef(null)
  const forget = () => {
    problem.value = null
  }
  watch(at.status, (status) => DEAF.includes(status) || forget())
  /** @param {string} what name of the sentence that says what did not work, with `values` and `why` */
  const give = async (order, what, values = {}) => {
    forget()
    try {
      await order()
      return true
    } catch (fault) {
      problem.value = { ...(fault.problem ?? { code: 'SERVER_ERROR' }), what, values }
      at.failed(problem.value)
      return false
    }
  }
  return { problem, give, forget }
}
