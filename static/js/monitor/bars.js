// The distribution as lists of bars. Pure.

const largest = (rows, by) => Math.max(1, ...rows.map((row) => row[by]))

/** @returns {{key, label, share, files, text}[]} `share`: 0 to 100, of the longest bar */
function bars(rows, words, labelOf) {
  const most = largest(rows, 'files')
  return rows.map((row, index) => ({
    key: index,
    label: labelOf(row),
    share: (row.files / most) * 100,
    text: words.say('share', { files: words.files(row.files), size: words.bytes(row.bytes) }),
  }))
}

const typeName = (type, words) => (type === '' ? words.say('noType') : type)

/** @param {{sizes, types, categories}} told as the station tells it */
export function distribution(told, words) {
  const size = ({ upTo }) => (upTo === null ? words.say('larger') : words.say('upTo', { size: words.bytes(upTo) }))
  const type = (row) => (row.type === null ? words.say('otherTypes') : typeName(row.type, words))
  const some = ({ files }) => files > 0
  return {
    empty: !told.sizes.some(some),
    sizes: bars(told.sizes, words, size),
    types: bars(told.types.filter(some), words, type),
    categories: bars(told.categories, words, (row) => words.category(row.category)),
  }
}
