// The end of a visit: what arrived, thanks, and the way back to the start, by itself or by a touch. Only draws.

import { html } from './html.js'
import { Icon } from './icons.js'
import { ending } from './rows.js'

// A summary that is left after seconds is no place to scroll.
const SHOWN = 8

const outcome = (row, words) => (row.phase === 'completed' ? words.bytes(row.size) : words.say(row.phase))

const more = (count, words) => html`<p class="hint">${words.say('alsoGot', { files: words.files(count) })}</p>`

const listed = (rows, words) => html`<ul class="files" role="list">
  ${rows.slice(0, SHOWN).map(
    (row) => html`<li key=${row.key} class=${`file ${row.phase}`} data-phase=${row.phase} data-file=${row.fileId}>
      <span class="name">${row.name}</span><span class="state">${outcome(row, words)}</span></li>`,
  )}
</ul>
${rows.length > SHOWN && more(rows.length - SHOWN, words)}`

const first = (phase) => (one, other) => (other.phase === phase) - (one.phase === phase)

const counted = (summary, rows, words) =>
  words.say('doneCount', {
    done: summary.completedFiles,
    files: words.files(summary.totalFiles),
    size: words.bytes(rows.reduce((sum, { size }) => sum + (size ?? 0), 0)),
    time: words.seconds(summary.totalTime),
  })

export const Summary = ({ at, words }) => {
  const state = at.state.value
  const title = ending(state)
  const rows = [...at.list.value].sort(first('completed'))
  const came = rows.filter(({ phase }) => phase === 'completed')
  return html`<section class=${`summary ${title}`} onClick=${at.next}>
    <div class="arrived">
      <h1 tabindex="-1" class=${title} data-ending=${title}>
        <${Icon} name=${came.length === 0 ? 'circle-alert' : 'circle-check'} />${words.say(title)}</h1>
      ${came.length > 0 && html`<p class="intro">${counted(state.summary, came, words)}</p>`}
      ${listed(rows, words)}
      <p class="thanks">${words.say('thanks')}</p>
    </div>
    <div class="end">
      <p class="ends">${words.say('nextIn', { count: at.left.value })}</p>
      <button type="button" class="button" onClick=${at.next}>${words.say('next')}</button>
    </div>
  </section>`
}
Summary.props = ['at', 'words']
