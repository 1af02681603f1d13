// The fourth part: what could not be told to other programs, and what to do about it. Draws the list.

import { ref } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { Facts } from '../parts.js'
import { useFocus } from '../useFocus.js'
import { fetchLetters, forgetLetter, sendAgain } from './api.js'
import { useFetched, useOrder } from './useLists.js'
import { sessionLink } from './useRoute.js'

const hookName = (hook, words) => (['webhook', 'on_completed'].includes(hook) ? words.say(hook) : hook)

const Letter = ({ letter, words, onAgain, onForget }) => {
  const { number, hook, sessionId, event, tries, madeAt, deadAt, error } = letter
  return html`<li class="file failed" data-letter=${number}>
    <a class="name" href=${sessionLink(sessionId)}>
      ${words.say('letterOf', { event, id: sessionId.slice(0, 8) })}</a>
    <${Facts} facts=${[
      hookName(hook, words),
      words.moment(madeAt),
      words.say(tries === 1 ? 'triesOne' : 'tries', { count: tries }),
      deadAt === null ? '' : words.say('deadSince', { time: words.moment(deadAt) }),
    ]} />
    ${error && html`<p class="problem">${error}</p>`}
    <span class="acts">
      <button type="button" class="button quiet" aria-label=${words.say('sendAgainNamed', { number })}
        onClick=${() => onAgain(number)}>${words.say('sendAgain')}</button>
      <button type="button" class="button quiet cancel" aria-label=${words.say('forgetNamed', { number })}
        onClick=${() => onForget(number)}>${words.say('forgetLetter')}</button>
    </span>
  </li>`
}
Letter.props = ['letter', 'words', 'onAgain', 'onForget']

const listed = ({ letters, waiting }, words, again, forget) => html`
  ${letters.length === 0 && html`<p class="hint">${words.say('noLetters')}</p>`}
  ${waiting > 0 && html`<p class="hint">${words.say('waitingLetters', { count: waiting })}</p>`}
  <ul class="files" aria-label=${words.say('lettersTitle')}>${letters.map(
    (letter) => html`<${Letter} key=${letter.number} letter=${letter} words=${words} onAgain=${again}
      onForget=${forget} />`,
  )}</ul>`

export const Letters = {
  props: ['at', 'words', 'id'],
  setup({ at }) {
    const place = ref(null)
    const { value, problem, load } = useFetched(at, () => fetchLetters(at.env), at.changes)
    const order = useOrder(at)
    useFocus(place)
    const doing = (call, said) => async (number) => {
      if (await order.give(() => call(at.env, number))) at.say(said, { number })
      load()
    }
    const again = doing(sendAgain, 'saidSentAgain')
    const forget = doing(forgetLetter, 'saidForgotten')
    return ({ words }) => html`<section ref=${place}>
      <h1 tabindex="-1">${words.say('lettersTitle')}</h1>
      <p class="intro">${words.say('lettersIntro')}</p>
      ${[problem.value, order.problem.value]
        .filter(Boolean)
        .map((each) => html`<p class="problem" role="alert">${words.why(each)}</p>`)}
      ${
        value.value === null
          ? html`<p class="hint">${words.say('loadingList')}</p>`
          : listed(value.value, words, again, forget)
      }
    </section>`
  },
}
