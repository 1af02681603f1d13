// What can be told of a chosen file before anything is sent: whether the station would take it, and which picture stands
// beside it. Pure; the station's limits are passed in.

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

const KINDS = {
  image: /\.(jpe?g|png|gif|webp|avif|hei[cf]|bmp|tiff?|svg|dng|raw|cr[23]|nef|arw)$/i,
  film: /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|3gp|3g2|mts|m2ts|ts|wmv|flv|ogv)$/i,
  music: /\.(mp3|m4a|aac|wav|flac|ogg|oga|opus|wma|amr|aiff?)$/i,
}

/** @returns {'image' | 'film' | 'music' | 'file'} */
export const pictureOf = (name) => Object.keys(KINDS).find((kind) => KINDS[kind].test(name)) ?? 'file'
