// Uploads one file with tus-js-client. Takes one argument, JSON:
//   endpoint, path, metadata, options: of tus-js-client,
//   source: 'file', 'buffer' or 'stream',
//   urls: file that remembers where uploads are, so that a later process goes on with them,
//   once: give up when a connection breaks,
//   dieAt: bytes after which this process kills itself, once `urls` is written.
// Prints the upload's URL when it is done. What may be tried again is; any other error ends it with status 1.
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { FileUrlStorage, Upload } from 'tus-js-client'

const order = JSON.parse(process.argv[2])
const sources = {
  file: () => createReadStream(order.path),
  buffer: () => readFileSync(order.path),
  stream: () => createReadStream(order.path).pipe(new PassThrough()),
}
let again = order.once ? 0 : 20

function remembered() {
  return existsSync(order.urls) && readFileSync(order.urls).length > 0 && !existsSync(`${order.urls}.lock`)
}

const url = await new Promise((resolve, reject) => {
  const upload = new Upload(sources[order.source](), {
    endpoint: order.endpoint,
    metadata: order.metadata,
    retryDelays: order.once ? [] : [0, 20, 50, ...Array(20).fill(100)],
    ...(order.urls ? { urlStorage: new FileUrlStorage(order.urls) } : {}),
    ...order.options,
    onProgress(sent) {
      if (order.dieAt && sent >= order.dieAt && remembered()) process.kill(process.pid, 'SIGKILL')
    },
    onSuccess: () => resolve(upload.url),
    // A broken connection while parallel uploads are put together is an error at once: the library leaves it to us.
    onError(error) {
      if (error.originalResponse || again-- === 0) reject(error)
      else upload.start()
    },
  })
  upload.findPreviousUploads().then((found) => {
    if (found.length > 0) {
      upload.resumeFromPreviousUpload(found[0])
      console.error('resumed')
    }
    upload.start()
  }, reject)
})
console.log(url)
