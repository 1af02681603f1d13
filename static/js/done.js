// The last step: what arrived under which name, what did not and why. Only draws.

import { Refused } from './choose.js'
import { html } from './html.js'
import { ending } from './rows.js'

const storedItem = (row, words) => html`
  <li key=${row.key} class="file completed" data-phase="completed" data-file=${row.fileId}>
    <span class="name">${row.name}</span><span class="facts">${words.bytes(row.size)}</span>
    <span class="facts stored">${words.say('storedAs', { name: row.stored })}</span>
  </li>`

function whyNot(row, words, contact) {
  if (row.phase === 'cancelled') return words.cancelled(row.reason)
  const { message, advice, details } = words.error(row.problem, contact)
  return html`${message}${advice}${details && html`<small>${details}</small>`}`
}

const missedItem = (row, words, contact) => html`
  <li key=${row.key} class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
    <span class="name">${row.name}</span><p class="why">${whyNot(row, words, contact)}</p>
  </li>`

const listed = (title, items) => items.length > 0 && html`<h2>${title}</h2><ul class="files">${items}</ul>`

export const Done = ({ at, words }) => {
  const state = at.state.value
  const { summary } = state
  const contact = at.config.value?.contact
  const rows = at.list.value
  const stored = rows.filter(({ phase }) => phase === 'completed')
  const bytes = stored.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const title = ending(state)
  return html`<section>
    <h1 tabindex="-1" class=${title} data-ending=${title}>${words.say(title)}</h1>
    <p class="intro" role="status">${words.say('doneCount', {
      done: summary.completedFiles,
      total: summary.totalFiles,
      size: words.bytes(bytes),
      time: words.seconds(summary.totalTime),
    })}</p>
    <${Refused} refused=${at.refused.value} words=${words} contact=${contact} onDismiss=${at.dismiss} />
    ${listed(
      words.say('stored'),
      stored.map((row) => storedItem(row, words)),
    )}
    ${listed(
      words.say('notStored'),
      rows.filter(({ phase }) => phase !== 'completed').map((row) => missedItem(row, words, contact)),
    )}
    <div class="foot"><button type="button" class="button big" onClick=${at.again}>
      ${words.say(summary.completedFiles > 0 ? 'sendMore' : 'again')}</button></div>
  </section>`
}
Done.props = ['at', 'words']
