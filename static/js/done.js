// The last step: what arrived under which name, what did not and why, and whether it is the same. Only draws.

import { html } from './html.js'
import { Icon } from './icons.js'
import { Facts } from './parts.js'
import { checkedNote } from './row.js'
import { ending } from './rows.js'
import { arrived } from './spoken.js'

const LOOKS = {
  doneTitle: 'circle-check',
  doneSomeTitle: 'triangle-alert',
  failedTitle: 'circle-alert',
  cancelledTitle: 'ban',
}

// The speed of what took no time says nothing.
const facts = (row, words) =>
  row.duration < 1
    ? [words.bytes(row.size)]
    : [words.bytes(row.size), words.speed(row.finalSpeed), words.seconds(row.duration)]

const StoredFile = ({ row, words, contact }) => html`
  <li class="file completed" data-phase="completed" data-file=${row.fileId}>
    <${Icon} name=${isDifferent(row) ? 'circle-alert' : 'circle-check'} />
    <span class="name">${row.name}</span><${Facts} facts=${facts(row, words)} />
    <span class="facts stored">${words.say('storedAs', { name: row.stored })}</span>
    ${checkedNote(row, words, contact)}
  </li>`
StoredFile.props = ['row', 'words', 'contact']

function whyNot(row, words, contact) {
  if (row.phase === 'cancelled') return words.cancelled(row.reason)
  const { message, advice, details, help } = words.error(row.problem, contact)
  return html`<strong>${message}</strong>${advice}${details && html`<small>${details}</small>`}${help && html`<small>${help}</small>`}`
}

const MissedFile = ({ row, words, contact }) => html`
  <li class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
    <${Icon} name=${row.phase === 'failed' ? 'circle-alert' : 'ban'} />
    <span class="name">${row.name}</span><span class="facts">${words.bytes(row.size)}</span>
    <p class="why">${whyNot(row, words, contact)}</p>
  </li>`
MissedFile.props = ['row', 'words', 'contact']

// Refused before it was sent: the station has never heard of it.
const notTaken = ({ file, problem }, index) => ({
  key: `not-taken-${index}`,
  fileId: null,
  name: file.name,
  size: file.size,
  phase: 'failed',
  problem,
})

const listed = (Item, rows, words, contact) => html`
  <ul class="files">${rows.map((row) => html`<${Item} key=${row.key} row=${row} words=${words} contact=${contact} />`)}</ul>`

const missed = (rows, words, contact) =>
  rows.length > 0 &&
  html`<section><h2>${words.say('notStored')}</h2>
    ${listed(MissedFile, rows, words, contact)}
    <p class="hint">${words.say('notStoredAdvice')}</p></section>`

const notSent = (rows, words, contact) =>
  rows.length > 0 && html`<section><h2>${words.say('notSent')}</h2>${listed(MissedFile, rows, words, contact)}</section>`

const stored = (rows, words, contact) =>
  rows.length > 0 && html`<section><h2>${words.say('stored')}</h2>${listed(StoredFile, rows, words, contact)}</section>`

const isDifferent = ({ checked }) => checked === 'different'

const different = (rows, words) =>
  rows.some(isDifferent) && html`<p class="problem" role="alert"><strong>${words.say('differentTitle')}</strong></p>`

const result = (at, words) => {
  const state = at.state.value
  const rows = at.list.value.filter(({ phase }) => phase === 'completed')
  const title = ending(state)
  const wrong = rows.some(isDifferent)
  return html`<div class=${`result ${title} ${wrong ? 'different' : ''}`}>
    <${Icon} name=${wrong ? 'circle-alert' : LOOKS[title]} />
    <h1 tabindex="-1" class=${title} data-ending=${title}>${words.say(title)}</h1>
    <p class="intro">${arrived(state, rows, words)}</p>
  </div>`
}

export const Done = ({ at, words }) => {
  const contact = at.config.value?.contact
  const rows = at.list.value
  const { completedFiles } = at.state.value.summary
  return html`<section>
    ${result(at, words)}
    ${different(rows, words)}
    ${missed(
      rows.filter(({ phase }) => phase !== 'completed'),
      words,
      contact,
    )}
    ${stored(
      rows.filter(({ phase }) => phase === 'completed'),
      words,
      contact,
    )}
    ${notSent(at.notTaken.value.map(notTaken), words, contact)}
    <div class="dock"><button type="button" class="button big" onClick=${at.again}>
      ${words.say(completedFiles > 0 ? 'sendMore' : 'tryAgain')}</button></div>
  </section>`
}
Done.props = ['at', 'words']
