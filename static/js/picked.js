// Files picked again: which of them are those of an earlier visit, and which were changed since. Pure.

const alike = (file) => (entry) => entry.name === file.name && entry.size === file.size
const sameTime = (file) => (entry) => entry.lastModified !== null && entry.lastModified === file.lastModified

const equal = (one, other) => one !== null && one.algorithm === other?.algorithm && one.value === other.value

/**
 * Name and size have to agree, and then the time of the last change; phones give another time with each pick, so
 * there the content decides, where it was known. Anything else is another file.
 * @param {File[]} files
 * @param {import('./entries.js').Entry[]} wanted
 * @param {(file: File) => Promise<object | null>} digestOf slow: reads all of the file
 * @returns {Promise<{found: {key: string, file: File}[], others: File[]}>}
 */
export async function matched(files, wanted, digestOf) {
  const left = new Set(wanted)
  const found = []
  const others = []
  const take = (entry, file) => {
    left.delete(entry)
    found.push({ key: entry.key, file })
  }
  const undecided = files.filter((file) => {
    const entry = [...left].filter(alike(file)).find(sameTime(file))
    if (entry) take(entry, file)
    return !entry
  })
  for (const file of undecided) {
    const candidates = [...left].filter(alike(file)).filter(({ digest }) => digest !== null)
    const digest = candidates.length === 0 ? null : await digestOf(file)
    const entry = candidates.find((candidate) => equal(candidate.digest, digest))
    if (entry) take(entry, file)
    else others.push(file)
  }
  return { found, others }
}

const numberOf = (name, all) => all.filter((one) => one.name === name).length

/**
 * The wanted files that these take the place of: they were changed since. Only where one name means one file, for
 * phones give one name to all their pictures.
 * @returns {Map<File, import('./entries.js').Entry>}
 */
export function replaced(others, files, wanted) {
  const one = ({ name }) => numberOf(name, files) === 1 && numberOf(name, wanted) === 1
  return new Map(others.filter(one).map((file) => [file, wanted.find(({ name }) => name === file.name)]))
}
