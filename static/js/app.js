// The page: which step is shown, the connection, the language. Draws the steps; useUploads says where we are.

import { nextTick, watch, watchEffect } from '../vendor/vue.runtime.esm-browser.prod.js'
import { Choose } from './choose.js'
import { DropHere, useDrop } from './drop.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { Connection, Problem } from './parts.js'
import { useLanguage } from './useLanguage.js'
import { useUploads } from './useUploads.js'

const Gone = ({ at, words }) => html`<section class="narrow">
  <h1 tabindex="-1">${words.say('goneTitle')}</h1>
  <p class="intro">${words.say('gone')}</p>
  <button type="button" class="button big" onClick=${at.again}>${words.say('startNew')}</button>
</section>`
Gone.props = ['at', 'words']

const Loading = ({ at, words }) =>
  at.page.problem
    ? html`<section class="narrow">
    <h1 tabindex="-1">${words.say('configFailed')}</h1>
    <${Problem} problem=${at.page.problem} words=${words} />
    <button type="button" class="button big" onClick=${at.load}>${words.say('tryAgain')}</button>
  </section>`
    : html`<section class="narrow">
    <h1 tabindex="-1">${words.say('title')}</h1><p class="intro" role="status">${words.say('loading')}</p>
  </section>`
Loading.props = ['at', 'words']

const STEPS = { choose: Choose, gone: Gone }
const drawnBy = (step, rest) => STEPS[step] ?? rest?.STEPS[step] ?? Loading

const top = (at, { words, other, change }) => html`<header>
  ${
    at.step.value === 'sending'
      ? html`<${Connection} status=${at.status.value} transport=${at.transport.value} online=${at.online.value}
          words=${words.value} />`
      : html`<span />`
  }
  <button type="button" class="plain language" lang=${other.value} onClick=${change}>
    <${Icon} name="languages" />${words.value.say('language')}</button>
</header>`

const takesFiles = (at) =>
  at.page.asking === null && (at.step.value === 'choose' || (at.step.value === 'sending' && at.can.value.add))

const seen = (at) => ({ step: at.step.value, sum: at.sum.value, state: at.state.value })

// What is heard and asked comes with the rest of the page, which is there before anything happens.
const besides = (at, words) => {
  const { Said, Question } = at.rest.value ?? {}
  return Said && [html`<${Said} at=${at} words=${words} />`, html`<${Question} at=${at} words=${words} />`]
}

const draw = (at, drop, language) => {
  const words = language.words.value
  return html`<div class="page">
    ${top(at, language)}
    <main><${drawnBy(at.step.value, at.rest.value)} at=${at} words=${words} /></main>
    ${drop.reading.value && html`<p class="toast" role="status">${words.say('readingFolder')}</p>`}
    ${drop.over.value && html`<${DropHere} words=${words} />`}
    ${besides(at, words)}
  </div>`
}

export const App = {
  props: ['sessionId', 'language', 'strings', 'env'],
  emits: ['usable'],
  setup(props, { emit }) {
    const language = useLanguage(props.language, props.strings, props.env)
    const at = useUploads(props.sessionId, props.env)
    const drop = useDrop({ wanted: () => takesFiles(at), onFiles: at.choose })
    watchEffect(() => {
      const words = language.words.value
      document.title = at.rest.value?.title(seen(at), words) ?? words.say('title')
    })
    watch(at.step, async (_, before) => {
      await nextTick()
      if (before === 'loading') emit('usable')
      // A new step is a new page for those who do not see it: go to its heading.
      else (document.querySelector('.secret input') ?? document.querySelector('h1'))?.focus()
    })
    return () => draw(at, drop, language)
  },
}
