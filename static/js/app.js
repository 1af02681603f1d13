// The page: which step is shown, the connection, the language. Draws the steps; useUploads says where we are.

import { nextTick, watch } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Choose } from './choose.js'
import { Done } from './done.js'
import { html } from './html.js'
import { Connection, Problem } from './parts.js'
import { Sending } from './sending.js'
import { useUploads } from './useUploads.js'
import { wordsFor } from './words.js'

const STEPS = { choose: Choose, sending: Sending, done: Done }

const Gone = ({ at, words }) => html`<section>
  <h1 tabindex="-1">${words.say('goneTitle')}</h1>
  <p class="intro">${words.say('gone')}</p>
  <button type="button" class="button big" onClick=${at.again}>${words.say('startNew')}</button>
</section>`
Gone.props = ['at', 'words']

const Unreachable = ({ at, words }) => html`<section>
  <h1 tabindex="-1">${words.say('title')}</h1>
  ${
    at.page.problem
      ? html`<p class="intro">${words.say('configFailed')}</p><${Problem} problem=${at.page.problem} words=${words} />
        <button type="button" class="button big" onClick=${at.load}>${words.say('retry')}</button>`
      : html`<p class="intro" role="status">${words.say('connecting')}…</p>`
  }
</section>`
Unreachable.props = ['at', 'words']

const otherLanguage = (language) => (language.startsWith('zh') ? 'en' : 'zh-CN')

// A change of language loads the page anew, which would break off what is being sent.
const languageLink = (at, words) =>
  !at.busy.value &&
  html`
  <a class="plain" href=${`?lang=${otherLanguage(words.language)}`} lang=${otherLanguage(words.language)}>
    ${words.say('language')}</a>`

export const App = {
  props: ['sessionId', 'language'],
  setup(props) {
    const words = wordsFor(props.language)
    const at = useUploads(props.sessionId)
    // A new step is a new page for those who do not see it: go to its heading.
    watch(at.step, () => nextTick(() => document.querySelector('h1')?.focus()))
    return () => {
      const Step =
        at.step.value === 'gone'
          ? Gone
          : at.step.value === 'choose' && !at.config.value
            ? Unreachable
            : STEPS[at.step.value]
      return html`<div class="page">
        <header>
          ${
            at.step.value === 'sending'
              ? html`<${Connection} status=${at.status.value}
            transport=${at.transport.value} words=${words} />`
              : html`<span />`
          }
          ${languageLink(at, words)}
        </header>
        <main><${Step} at=${at} words=${words} /></main>
      </div>`
    }
  },
}
