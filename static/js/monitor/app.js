// The operator's page: which part of it is shown, the connection, the language. Draws the parts; useMonitor says how
// the station is.

import { computed, nextTick, watch, watchEffect } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { useLanguage } from '../useLanguage.js'
import { Files } from './files.js'
import { Icon } from './icons.js'
import { Letters } from './letters.js'
import { Overview } from './overview.js'
import { Notice } from './pieces.js'
import { Session } from './session.js'
import { Sessions } from './sessions.js'
import { useMonitor } from './useMonitor.js'
import { useRoute } from './useRoute.js'
import { withMonitor } from './words.js'

const PARTS = { overview: Overview, sessions: Sessions, session: Session, files: Files, letters: Letters }
const LINKS = ['overview', 'sessions', 'files', 'letters']
const STATUS = {
  live: 'connectionLive',
  polling: 'connectionPolling',
  connecting: 'connectionConnecting',
  offline: 'connectionOffline',
}

const connection = ({ status, since }, words) => html`
  <p class=${`connection ${status.value}`} data-status=${status.value}>
    <span class="dot" aria-hidden="true" />${words.say(STATUS[status.value], { time: words.moment(since.value) })}
  </p>`

const top = (at, words, { other, change }) => html`<header>
  ${connection(at, words)}
  <div class="acts">
    <button type="button" class="plain language" lang=${other.value} onClick=${change}>
      <${Icon} name="languages" />${words.say('language')}</button>
    <form method="post" action="/monitor/logout">
      <button class="plain" title=${words.say('logout')} aria-label=${words.say('logout')}>
        <${Icon} name="log-out" /><span class="wide">${words.say('logout')}</span></button>
    </form>
  </div>
</header>`

const dead = ({ overview }) => overview.value?.letters?.dead ?? 0

/** Beyond that a phone has no room for it. */
export const capped = (count) => (count > 99 ? '99+' : String(count))

const links = (at, part, words) => html`<nav class="parts" aria-label=${words.say('sections')}>
  ${LINKS.map((name) => {
    const here = name === part || (part === 'session' && name === 'sessions')
    const count = name === 'letters' && dead(at) > 0 && html`<span class="count">${capped(dead(at))}</span>`
    const address = `#/${name === 'overview' ? '' : name}`
    return html`<a key=${name} href=${address} aria-current=${here ? 'page' : null}>
      ${words.say(name)}${count && ' '}${count}</a>`
  })}
</nav>`

function titleOf({ part, id }, words) {
  const page = words.say('monitorTitle')
  if (part === 'overview') return page
  return `${part === 'session' ? words.session(id) : words.say(part)} · ${page}`
}

export const MonitorApp = {
  props: ['language', 'strings', 'env'],
  setup(props) {
    const language = useLanguage(props.language, props.strings, props.env)
    const words = computed(() => withMonitor(language.words.value, props.env.now))
    const at = useMonitor(props.env)
    const route = useRoute(props.env)
    watchEffect(() => {
      document.title = titleOf(route.value, words.value)
    })
    // Another part is another page for those who do not see it: go to its heading.
    watch(route, async () => {
      await nextTick()
      globalThis.scrollTo(0, 0)
      document.querySelector('h1')?.focus({ preventScroll: true })
    })
    return () => {
      const { part, id, turns } = route.value
      return html`<div class="page monitor" data-part=${part}>
        ${top(at, words.value, language)}
        ${links(at, part, words.value)}
        <main><${PARTS[part]} key=${turns} at=${at} id=${id} words=${words.value} /></main>
        <${Notice} at=${at} words=${words.value} />
      </div>`
    }
  },
}
