// Uploads the files of an <input>, inside a page, with tus-js-client or with Uppy, whose bundles define `tus` and `Uppy`.
window.drive = (() => {
  const retryDelays = [0, 20, 50, ...Array(20).fill(100)]
  const patience = 100_000 // ms; a test that hangs says where

  function inTime(what, promise) {
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`still not: ${what()}`)), patience))
    return Promise.race([promise, late])
  }

  function chosen() {
    return [...document.querySelector('input').files]
  }

  // Resolves once the first file is uploaded; with `until`, once so many bytes were sent, and breaks off there, but not
  // before the browser remembers where the upload is (parallel ones: when each has an address).
  // `resume`: begin where an earlier page left off; it must have left something.
  function byTus({ endpoint, metadata, options, resume, until }) {
    let sent = 0
    let again = 20
    const work = new Promise((resolve, reject) => {
      const upload = new tus.Upload(chosen()[0], {
        endpoint,
        metadata,
        retryDelays,
        ...options,
        onProgress(bytes) {
          sent = bytes
          if (until && bytes >= until && localStorage.length > 0) {
            upload.abort()
            resolve()
          }
        },
        onSuccess: () => (until ? reject(new Error('it was to break off')) : resolve()),
        // A broken connection while parallel uploads are put together is an error at once: the library leaves it to us.
        onError(error) {
          if (error.originalResponse || again-- === 0) reject(error)
          else upload.start()
        },
      })
      upload.findPreviousUploads().then((found) => {
        if (resume && found.length === 0) reject(new Error('no earlier upload is known'))
        if (resume && found.length > 0) upload.resumeFromPreviousUpload(found[0])
        upload.start()
      }, reject)
    })
    return inTime(() => `${sent} bytes sent`, work)
  }

  // All files at once. `metadata`: one of each file.
  async function byUppy({ endpoint, metadata, options }) {
    const uppy = new Uppy.Uppy().use(Uppy.Tus, { endpoint, retryDelays, ...options })
    chosen().forEach((file, index) => {
      uppy.addFile({ name: file.name, type: file.type, data: file, meta: metadata[index] })
    })
    let result = await inTime(() => JSON.stringify(uppy.getState().totalProgress), uppy.upload())
    for (let again = 20; result.failed.length > 0 && again > 0; again -= 1) {
      result = await inTime(() => 'tried again', uppy.retryAll())
    }
    return result.failed.map((file) => `${file.name}: ${file.error}`)
  }

  return { byTus, byUppy }
})()
