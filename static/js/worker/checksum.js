// Computes the checksum of a file, in a thread of its own, so that the page stays quick. A classic worker: its response
// alone may compile WebAssembly. Knows files and two algorithms; one question at a time.
;(function () {
  const LIBRARIES = { blake3: '/static/vendor/blake3.umd.min.js', sha256: '/static/vendor/sha256.umd.min.js' }
  const SLICE = 4 * 2 ** 20

  const made = {}

  function hasher(algorithm) {
    if (!made[algorithm]) {
      importScripts(LIBRARIES[algorithm])
      const { createBLAKE3, createSHA256 } = self.hashwasm
      made[algorithm] = algorithm === 'blake3' ? createBLAKE3() : createSHA256()
    }
    return made[algorithm]
  }

  async function digest(file, algorithm) {
    const hash = (await hasher(algorithm)).init()
    for (let at = 0; at < file.size; at += SLICE) {
      hash.update(new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer()))
    }
    return hash.digest('hex')
  }

  self.onmessage = async ({ data: { id, file, algorithm } }) => {
    try {
      self.postMessage({ id, value: await digest(file, algorithm) })
    } catch {
      // Unreadable, or no WebAssembly here: then nobody can say.
      self.postMessage({ id, value: null })
    }
  }
})()
