// The first step: choose what to send. Only draws; useUploads does.

import { nextTick } from '../vendor/vue.runtime.esm-browser.prod.js'
import { withoutClutter } from './folders.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { IconButton, Looking, Picker, Problem } from './parts.js'
import { pictureOf } from './pictures.js'
import { Refused } from './refused.js'

const total = (files) => files.reduce((sum, { size }) => sum + size, 0)

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

const ChosenFile = ({ file, words, onRemove }) => html`
  <li class="file">
    <${Icon} name=${pictureOf(file.name)} /><span class="name">${file.name}</span>
    <span class="facts">${words.bytes(file.size)}</span>
    <span class="actions"><${IconButton} icon="x" label=${words.say('removeNamed', { name: file.name })}
      onPress=${(event) => onRemove(file, event)} /></span>
  </li>`
ChosenFile.props = ['file', 'words', 'onRemove']

// Two files may have one name, and a File has no number: each gets one when it is first drawn.
function numbering() {
  const numbers = new WeakMap()
  let given = 0
  return (file) => {
    if (!numbers.has(file)) numbers.set(file, (given += 1))
    return numbers.get(file)
  }
}

/** The pressed button goes with its file: the focus moves to the next one. */
function remove(file, event, at) {
  const item = event.currentTarget.closest('li')
  const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('button')
  at.unchoose(file)
  nextTick(() => (next ?? document.querySelector('h1'))?.focus())
}

const namesOf = (names, words) =>
  names.length > 2
    ? words.say('namesMore', { names: names.slice(0, 2).join(words.say('comma')) })
    : names.join(words.say('comma'))

const unfinished = (left, at, words) => html`
  <section key=${left.sessionId} class="card">
    <h2>${words.say('unfinishedTitle')}</h2>
    <p>${words.say('unfinished', {
      files: words.files(left.count),
      stored: words.bytes(left.stored),
      total: words.bytes(left.total),
    })}</p>
    <p class="hint names">${namesOf(left.names, words)}</p>
    <div class="answers">
      <button type="button" class="button" onClick=${() => at.goOn(left)}>${words.say('goOn')}</button>
      <button type="button" class="button quiet" onClick=${() => at.forget(left)}>${words.say('forget')}</button>
    </div>
  </section>`

const chosenList = (files, numberOf, at, words) => html`
  <ul class="files">${files.map(
    (file) => html`<${ChosenFile} key=${numberOf(file)} file=${file} words=${words}
      onRemove=${(which, event) => remove(which, event, at)} />`,
  )}</ul>`

const sendBar = (files, at, words) => html`
  <div class="dock">
    <p role="status">${words.say('chosen', { files: words.files(files.length), size: words.bytes(total(files)) })}</p>
    <button type="button" class="button big" disabled=${at.page.opening} onClick=${at.send}>
      ${words.say(at.page.opening ? 'opening' : 'send')}
    </button>
  </div>`

export const Choose = {
  props: ['at', 'words'],
  setup({ at }) {
    const numberOf = numbering()
    return ({ words }) => {
      const { page } = at
      const config = at.config.value
      const files = at.chosen.value
      const some = files.length > 0
      return html`<section>
        <h1 tabindex="-1">${words.say('title')}</h1>
        <p class="intro">${words.say(page.sessionId === null ? 'intro' : 'handedOver')}</p>
        ${!some && at.left.value.map((left) => unfinished(left, at, words))}
        ${pickers(at, words, some)}
        <${Looking} count=${page.preparing} words=${words} />
        ${page.problem && html`<${Problem} problem=${page.problem} words=${words} contact=${config.contact} />`}
        <${Refused} refused=${at.refused.value} words=${words} contact=${config.contact} rest=${some}
          onDismiss=${at.dismiss} />
        ${some ? [chosenList(files, numberOf, at, words), sendBar(files, at, words)] : limits(config, words)}
      </section>`
    }
  },
}
