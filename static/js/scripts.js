// Scripts that are fetched when somebody is about to need them, and not with the page: most of those who open it look
// first. Knows script elements, and addresses as the page's policy wants them; one that did not come is asked for again
// the next time.

const PLACES = ['/static/js/worker/', '/static/vendor/']

function own(path) {
  const plain = /^[\w./-]+$/.test(path) && !path.includes('..')
  if (plain && PLACES.some((place) => path.startsWith(place))) return path
  throw new TypeError(`${path} is no script of this page`)
}

/**
 * To be called once a page: a browser makes a policy of one name only once.
 * @param {{trustedTypes?: object}} env
 * @returns {(path: string) => any} what may be given to a script element or a worker
 */
export function scriptAddresses({ trustedTypes }) {
  const policy = trustedTypes?.createPolicy('station', { createScriptURL: own })
  return (path) => (policy ? policy.createScriptURL(path) : own(path))
}

/**
 * @param {{document?: Document}} env
 * @param {(path: string) => any} address as scriptAddresses makes it
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
