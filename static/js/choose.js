// The first step: choose what to send. Only draws; useUploads does. What follows a choice is drawn by chosen.js.

import { withoutClutter } from './drop.js'
import { html } from './html.js'
import { Looking, Picker, Problem } from './parts.js'

// What phones offer: their camera, their gallery. The main button has neither, for there any file is meant.
const TILES = [
  ['takePhoto', 'camera', { accept: 'image/*', capture: 'environment' }],
  ['recordVideo', 'video', { accept: 'video/*', capture: 'environment' }],
  ['pickPhotos', 'image', { accept: 'image/*' }],
  ['pickVideos', 'film', { accept: 'video/*' }],
]
const FOLDER = { webkitdirectory: true }

const pickers = (at, words, more) => html`
  <div class=${more ? 'pickers more' : 'pickers'}>
    <${Picker} label=${words.say(more ? 'chooseMore' : 'choose')} look=${more ? 'quiet wide' : 'big'}
      icon=${more ? 'plus' : 'upload'} onFiles=${at.choose} />
    <div class="tiles on-touch">${TILES.map(
      ([name, icon, pick]) =>
        html`<${Picker} key=${name} label=${words.say(name)} look="tile" icon=${icon} pick=${pick} onFiles=${at.choose} />`,
    )}</div>
    <div class="on-desk">
      <${Picker} label=${words.say('chooseFolder')} look="quiet wide" icon="folder" pick=${FOLDER}
        onFiles=${(files) => at.choose(withoutClutter(files))} />
      <p class="hint">${words.say('dragHere')}</p>
    </div>
  </div>`

const formats = (types, words) =>
  types.includes('*')
    ? html`<p class="hint">${words.say('anyFormat')}</p>`
    : html`<details class="formats"><summary>${words.say('formats')}</summary>
        <p>${types.map((type) => type.replace(/^\./, '')).join(words.say('comma'))}</p></details>`

const limits = ({ maxFileSize, maxFiles, allowedTypes }, words) => html`
  <div class="limits">
    <p class="hint">${words.say('limits', { size: words.bytes(maxFileSize), files: words.files(maxFiles) })}</p>
    ${formats(allowedTypes, words)}
  </div>`

// The rest of the page comes a moment after the first choice, and until then there is nothing of it to draw.
const chosen = (at, words, contact) => {
  const { Chosen, Refused } = at.rest.value ?? {}
  const files = at.chosen.value
  return [
    Refused &&
      html`<${Refused} refused=${at.refused.value} words=${words} contact=${contact} rest=${files.length > 0}
      onDismiss=${at.dismiss} />`,
    files.length > 0
      ? html`<${Chosen} files=${files} at=${at} words=${words} />`
      : limits(at.config.value, words),
  ]
}

const unfinished = (at, words) => {
  const { Unfinished } = at.rest.value ?? {}
  return at.left.value.map((left) => html`<${Unfinished} key=${left.sessionId} left=${left} at=${at} words=${words} />`)
}

export const Choose = ({ at, words }) => {
  const { page } = at
  const { contact } = at.config.value
  const some = at.chosen.value.length > 0
  return html`<section>
    <h1 tabindex="-1">${words.say('title')}</h1>
    <p class="intro">${words.say(page.sessionId === null ? 'intro' : 'handedOver')}</p>
    ${!some && unfinished(at, words)}
    ${pickers(at, words, some)}
    <${Looking} count=${page.preparing} words=${words} />
    ${page.problem && html`<${Problem} problem=${page.problem} words=${words} contact=${contact} />`}
    ${chosen(at, words, contact)}
  </section>`
}
Choose.props = ['at', 'words']
