// The files that lie in what was dropped, folders and folders in folders too. Knows the entries that browsers hand out.

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
