// Libraries that are fetched when somebody is about to need them, and not with the page: most of those who open it
// look first. Knows script elements; a library that did not come is asked for again the next time.

/**
 * @param {{document?: Document}} env
 * @param {(path: string) => any} address see trusted.js
 * @returns {(path: string) => Promise<void>} fetches each script once
 */
export function scriptLoader({ document }, address) {
  const known = new Map()
  const fetched = (path) =>
    new Promise((resolve, reject) => {
      const script = document.createElement('script')
      script.src = address(path)
      script.onload = () => resolve()
      script.onerror = () => {
        known.delete(path)
        script.remove()
        reject(new Error(`${path} did not come`))
      }
      document.head.append(script)
    })
  return (path) => {
    if (!known.has(path)) known.set(path, fetched(path))
    return known.get(path)
  }
}
