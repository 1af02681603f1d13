// Which of the chosen files the station would not take, before anything is sent. Pure; the station's limits are passed in.

/** Lower case, without the dot; "" if there is none. */
export function extension(name) {
  const at = name.lastIndexOf('.')
  return at > 0 ? name.slice(at + 1).toLowerCase() : ''
}

/**
 * @param {readonly {name: string, size: number}[]} files
 * @param {{allowedTypes?: string[], maxFileSize?: number, maxFiles?: number}} limits what is missing limits nothing
 * @returns {(string | null)[]} the error code for each file, null for those that can go
 */
export function check(files, { allowedTypes = ['*'], maxFileSize = Infinity, maxFiles = Infinity }) {
  const anything = allowedTypes.includes('*')
  let room = maxFiles
  return files.map(({ name, size }) => {
    if (size > maxFileSize) return 'FILE_SIZE_EXCEEDED'
    if (!anything && !allowedTypes.includes(extension(name))) return 'UNSUPPORTED_FORMAT'
    room -= 1
    return room < 0 ? 'TOO_MANY_FILES' : null
  })
}

/**
 * Joins the station's own verdict to ours: what it says of the files that we let pass, counted among themselves.
 * @returns {(object | null)[]} the first error of each file, null for those that can go
 */
export function verdicts(own, answer) {
  const told = new Map((answer?.files ?? []).map((file) => [file.index, file]))
  let index = -1
  return own.map((code) => {
    if (code !== null) return { code }
    const file = told.get((index += 1))
    return file && !file.valid ? { code: 'VALIDATION_ERROR', ...file.errors?.[0] } : null
  })
}
