// The fourth part: what could not be told to other programs, and what to do about it. Draws the list.

import { ref, shallowRef, watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { Facts } from '../parts.js'
import { useFocus } from '../useFocus.js'
import { fetchLetters, forgetLetters, sendAgain } from './api.js'
import { ListEnd, Problems, Sure } from './pieces.js'
import { useAsked, useOrder } from './useLists.js'
import { sessionLink } from './useRoute.js'

/** Stands for each of them; its sentences have names of their own. */
const ALL = {}
const sentence = (name, letter) => (letter === ALL ? `${name}All` : name)

const titleOf = ({ event, fileName, sessionId }, words) =>
  words.say('letterOf', { event: words.named(event), name: fileName ?? words.session(sessionId) })

const Letter = ({ letter, words, onAgain, onForget }) => {
  const { number, hook, sessionId, tries, madeAt, deadAt, error } = letter
  return html`<li class="file failed" data-letter=${number}>
    <a class="name" href=${sessionLink(sessionId)}>${titleOf(letter, words)}</a>
    <${Facts} facts=${[
      `#${number}`,
      words.named(hook),
      words.moment(madeAt),
      words.say(tries === 1 ? 'triesOne' : 'tries', { count: tries }),
      deadAt === null ? '' : words.say('deadSince', { time: words.moment(deadAt) }),
    ]} />
    ${error && html`<p class="problem">${words.reason(error)}</p>`}
    <span class="acts">
      <button type="button" class="button quiet" aria-label=${words.say('sendAgainNamed', { number })}
        onClick=${() => onAgain(letter)}>${words.say('sendAgain')}</button>
      <button type="button" class="button quiet cancel" aria-label=${words.say('forgetNamed', { number })}
        onClick=${() => onForget(letter)}>${words.say('forgetLetter')}</button>
    </span>
  </li>`
}
Letter.props = ['letter', 'words', 'onAgain', 'onForget']

const question = (letter, count, words) => ({
  title: sentence('forgetAsk', letter),
  text: sentence('forgetText', letter),
  values: letter === ALL ? { count } : { number: letter.number, what: titleOf(letter, words) },
  yes: 'forgetDo',
  no: 'back',
})

/** While it is asked whether to forget it, somebody else may do so. */
const isThere = (letter, rows) => rows.some(({ number }) => letter === ALL || number === letter.number)

export function useOrders(at, list, refresh) {
  const order = useOrder(at)
  const doomed = shallowRef(null)
  const doing = (call, what, said) => async (letter) => {
    doomed.value = null
    let tell = sentence(said, letter)
    const settle = async () => {
      try {
        await call(at.env, ...(letter === ALL ? [] : [letter.number]))
      } catch (fault) {
        if (letter === ALL || fault.problem?.code !== 'NOT_FOUND') throw fault
        tell = 'saidNoLetter'
      }
    }
    if (await order.give(settle, sentence(what, letter), letter)) at.say(tell, letter)
    refresh()
  }
  const ask = (letter) => {
    order.forget()
    doomed.value = letter
  }
  watch(list, ({ rows }) => {
    if (doomed.value && !isThere(doomed.value, rows)) doomed.value = null
  })
  const again = doing(sendAgain, 'sendingAgain', 'saidSentAgain')
  return { again, forget: doing(forgetLetters, 'forgetting', 'saidForgotten'), doomed, ask, problem: order.problem }
}

/** How many there are is told with the list; how many are on their way, with every overview, too. */
export const countsOf = ({ told }, overview) => ({
  dead: told.dead,
  waiting: overview?.letters?.waiting ?? told.waiting,
})

const listed = ({ rows, next }, { dead, waiting }, { again, ask }, words) => html`
  ${waiting > 0 && html`<p class="hint">${words.say('waitingLetters', { count: waiting })}</p>`}
  ${next !== null && html`<p class="hint">${words.say('lettersShown', { count: rows.length, all: dead })}</p>`}
  ${
    rows.length > 1 &&
    html`<p class="acts">
      <button type="button" class="button quiet" onClick=${() => again(ALL)}>${words.say('sendAllAgain')}</button>
      ${' '}<button type="button" class="button quiet cancel" onClick=${() => ask(ALL)}>${words.say('forgetAll')}</button>
    </p>`
  }
  <ul class="files" aria-label=${words.say('lettersTitle')}>${rows.map(
    (letter) => html`<${Letter} key=${letter.number} letter=${letter} words=${words} onAgain=${again} onForget=${ask} />`,
  )}</ul>`

export const Letters = {
  props: ['at', 'words', 'id'],
  setup({ at }) {
    const place = ref(null)
    const { list, more, refresh } = useAsked(at, fetchLetters, 'letters', {})
    const orders = useOrders(at, list, refresh)
    useFocus(place)
    return ({ words }) => {
      const counts = countsOf(list.value, at.overview.value)
      const doomed = orders.doomed.value
      return html`<section ref=${place}>
        <h1 tabindex="-1">${words.say('lettersTitle')}</h1>
        <p class="intro">${words.say('lettersIntro')}</p>
        <${Problems} of=${[orders.problem.value]} words=${words} />
        ${listed(list.value, counts, orders, words)}
        <${ListEnd} list=${list.value} none="noLetters" words=${words} onMore=${more} />
        ${
          doomed &&
          html`<${Sure} asked=${question(doomed, counts.dead, words)} words=${words} onYes=${() => orders.forget(doomed)}
            onNo=${() => orders.ask(null)} />`
        }
      </section>`
    }
  },
}
