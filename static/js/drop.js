// Files that are dropped onto the page or pasted into it, folders and folders in folders too: the whole page is the
// target, and says so. Knows the entries that browsers hand out.

import { onScopeDispose, ref } from '../vendor/vue.runtime.esm-browser.prod.js'
import { html } from './html.js'
import { Icon } from './icons.js'

// Left by systems in every folder; nobody means to send them.
const CLUTTER = /^(\..*|Thumbs\.db|desktop\.ini)$/i

const fileOf = (entry) => new Promise((resolve) => entry.file(resolve, () => resolve(null)))

const batchOf = (reader) => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])))

async function* inside(folder) {
  const reader = folder.createReader()
  // A reader hands out a hundred at a time; only an empty batch is the end.
  for (let batch = await batchOf(reader); batch.length > 0; batch = await batchOf(reader)) yield* batch
}

async function* walk(entry) {
  if (entry.isDirectory) {
    for await (const child of inside(entry)) if (!CLUTTER.test(child.name)) yield* walk(child)
    return
  }
  const file = await fileOf(entry)
  if (file !== null) yield file
}

/**
 * What can be taken out of a drop only while its event is handled; the rest may take its time.
 * @param {DataTransfer} transfer
 * @returns {(FileSystemEntry | File)[]}
 */
export function dropped(transfer) {
  const items = [...(transfer.items ?? [])].filter(({ kind }) => kind === 'file')
  const found = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile?.()).filter(Boolean)
  return found.length > 0 ? found : [...(transfer.files ?? [])]
}

/** @param {(FileSystemEntry | File)[]} things as `dropped` gave them */
export async function filesIn(things) {
  const files = []
  for (const thing of things) {
    if (!thing.isDirectory && !thing.isFile) files.push(thing)
    else for await (const file of walk(thing)) files.push(file)
  }
  return files
}

/** A folder that was picked comes as its files. */
export const withoutClutter = (files) => [...files].filter(({ name }) => !CLUTTER.test(name))

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files')

/** Pointer events of a drag come from every element on its way; only the count tells whether it left the page. */
function dragging(over, wanted) {
  let depth = 0
  const set = (value) => {
    depth = value
    over.value = value > 0
  }
  const enter = (event) => holdsFiles(event) && wanted() && set(depth + 1)
  const leave = (event) => holdsFiles(event) && set(Math.max(0, depth - 1))
  return { enter, leave, end: () => set(0) }
}

/**
 * @param {{wanted: () => boolean, onFiles: (files: File[]) => void}} options
 * @returns {{over: Ref<boolean>, reading: Ref<boolean>}} whether files hang over the page; whether a folder is being read
 */
export function useDrop({ wanted, onFiles }) {
  const over = ref(false)
  const reading = ref(false)
  const drag = dragging(over, wanted)

  async function take(things) {
    reading.value = true
    const files = await filesIn(things)
    reading.value = false
    if (files.length > 0 && wanted()) onFiles(files)
  }

  const handlers = {
    dragenter: drag.enter,
    dragleave: drag.leave,
    // Without this the browser opens the file in place of the page, whatever is shown.
    dragover: (event) => holdsFiles(event) && event.preventDefault(),
    drop: (event) => {
      if (!holdsFiles(event)) return
      event.preventDefault()
      drag.end()
      if (wanted()) take(dropped(event.dataTransfer))
    },
    paste: (event) => {
      const files = [...(event.clipboardData?.files ?? [])]
      if (files.length === 0 || !wanted()) return
      event.preventDefault()
      onFiles(files)
    },
  }
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler)
  onScopeDispose(() => {
    for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler)
  })
  return { over, reading }
}

export const DropHere = ({ words }) => html`
  <div class="drop-here" role="status"><p><${Icon} name="upload" /><strong>${words.say('dropNow')}</strong></p></div>`
DropHere.props = ['words']
