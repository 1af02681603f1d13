// The kiosk's screen: which stage is shown, the connection, the language. Draws the stages; useKiosk says where we are.

import { nextTick, watch, watchEffect } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { kindOf } from './kinds.js'
import { KioskSaid } from './kioskSaid.js'
import { withKiosk } from './kioskStrings.js'
import { Connection, Problem } from './parts.js'
import { Pin } from './pin.js'
import { Receiving } from './receiving.js'
import { Summary } from './summary.js'
import { useKiosk } from './useKiosk.js'
import { useLanguage } from './useLanguage.js'
import { Welcome } from './welcome.js'

const STAGES = {
  opening: Welcome,
  pin: Pin,
  ready: Welcome,
  connected: Welcome,
  receiving: Receiving,
  idle: Receiving,
  summary: Summary,
}

// Where the files go, if that is a question at all.
const place = ({ config, category }, words) =>
  config.value?.categories.length > 1 &&
  category.value !== null &&
  html`<p class="place">${words.say('into', { category: words.category(category.value) })}</p>`

const connection = ({ status, transport }, words) =>
  html`<${Connection} status=${status.value} transport=${transport.value} words=${words} />`

const Top = ({ at, words, other, change }) => html`<header class="top">
  ${(!at.away.value && place(at, words)) || html`<span />`}
  ${at.started.value && !at.away.value && connection(at, words)}
  <button type="button" class="plain" lang=${other} aria-label=${words.say('otherLanguage')} onClick=${change}>
    ${words.say('language')}</button>
</header>`
Top.props = ['at', 'words', 'other', 'change']

// In the place of the top line, which would only say it twice: the rest stays as it was.
const Away = ({ problem, words, contact }) =>
  problem === null || kindOf(problem.code) === 'network'
    ? html`<p class="away" role="alert"><strong>${words.say('awayTitle')}</strong> ${words.say('awayAdvice')}</p>`
    : html`<div class="away"><${Problem} problem=${problem} words=${words} contact=${contact} /></div>`
Away.props = ['problem', 'words', 'contact']

const out = ({ problem, config }, words) =>
  html`<${Away} problem=${problem.value} words=${words} contact=${config.value?.contact} />`

export const KioskApp = {
  props: ['category', 'wifi', 'language', 'strings', 'env'],
  setup(props) {
    const language = useLanguage(props.language, props.strings, props.env)
    const at = useKiosk(props.category, props.env)
    const words = () => withKiosk(language.words.value)
    watchEffect(() => {
      document.title = words().say('kioskTitle')
    })
    // A new stage is a new page for those who do not see it; the start is one, whether a phone is there or not.
    watch(
      () => STAGES[at.stage.value],
      () => nextTick(() => document.querySelector('h1')?.focus({ preventScroll: true })),
    )
    return () => {
      const stage = at.stage.value
      const now = words()
      return html`<div class="kiosk" data-stage=${stage}>
        <${Top} at=${at} words=${now} other=${language.other.value} change=${language.change} />
        <main><${STAGES[stage]} at=${at} words=${now} wifi=${props.wifi} /></main>
        ${at.away.value && out(at, now)}
        <${KioskSaid} at=${at} words=${now} />
      </div>`
    }
  },
}
