// The addresses of scripts that the page loads later, as its policy wants them. Knows which places are the station's own.

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
