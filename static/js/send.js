// One file, one try, by tus-js-client: goes on where the station stands, and says how it ended. Knows the protocol's
// answers; nothing of queues or of trying again.

import { retryAfter } from './backoff.js'

const ENDPOINT = '/files/'
// An answer to HEAD has no body, and one of a proxy in between has none of ours.
const BY_STATUS = {
  401: 'PIN_REQUIRED',
  404: 'UPLOAD_GONE',
  408: 'REQUEST_TIMEOUT',
  410: 'UPLOAD_GONE',
  413: 'FILE_SIZE_EXCEEDED',
  423: 'UPLOAD_LOCKED',
  429: 'RATE_LIMIT_EXCEEDED',
  502: 'NETWORK_ERROR',
  503: 'TOO_MANY_CONNECTIONS',
  504: 'NETWORK_ERROR',
  507: 'INSUFFICIENT_STORAGE',
}

function pathHere({ location: { protocol, host } }, url) {
  const station = `${protocol}//${host}`
  try {
    const { origin, pathname, search } = new URL(url, station)
    return origin === station && pathname.startsWith(ENDPOINT) ? pathname + search : null
  } catch {
    return null
  }
}

/** The path of an upload's address if it is one of this station, else null: a remembered one may be anything. */
export function uploadPath(env, url) {
  const path = pathHere(env, url)
  return path === ENDPOINT ? null : path
}

// Chromium takes a head that broke off for a whole one, and then "Location: /files/" for an address (seen through a
// proxy that cuts): that is the line's fault, and the next try makes another upload.
function wrongness(env, request) {
  const path = pathHere(env, request.getURL())
  if (path === null) return 'SERVER_ERROR'
  return path === ENDPOINT && request.getMethod() !== 'POST' ? 'NETWORK_ERROR' : null
}

/**
 * Begins at once. All content goes in one request: the station keeps what arrived of it, whenever it breaks.
 * @param {object} env {location, now, library(), httpStack?}; library() gives tus-js-client, once it is there
 * @param {{sessionId: string, file: File, name: string, fileId: string | null, url: string | null}} entry
 * @param {{url: Function, fileId: Function, sent: Function, done: Function}} on
 *   url(path | null) and fileId(id | null) as they become known or void; sent(bytes), from the file's start;
 *   done({problem, retryAfter?, paused?}) once, later, never after abort(); retryAfter in milliseconds,
 *   paused: the station ended it there, kindly
 * @returns {{abort: () => void}} ends it without a word to the station; what is stored there stays
 */
export function send(env, entry, on) {
  const self = {
    upload: null,
    over: false,
    renewed: false,
    fileId: entry.fileId,
    number(id) {
      self.fileId = id
      on.fileId(id)
    },
  }
  const end = (outcome) => {
    if (self.over) return
    self.over = true
    on.done(outcome)
  }
  const begin = (url) => {
    self.upload = uploadOf(self.library, env, entry, self, url, on, {
      end,
      failed: (fault) => !self.over && answer(outcomeOf(fault, env.now()), fault),
    })
    self.upload.start()
  }
  const answer = (outcome, fault) => {
    const status = fault.originalResponse?.getStatus()
    // Forget the address and make another upload. Without the file's id one that somebody cancelled would come back.
    const gone = [404, 410].includes(status) && self.upload.url !== null && self.fileId !== null
    const unknown = outcome.problem.code === 'FILE_NOT_FOUND' && self.upload.url === null && self.fileId !== null
    if (self.renewed || !(gone || unknown)) return end(outcome)
    self.renewed = true
    if (gone) on.url(null)
    else self.number(null)
    begin(null)
  }
  const start = (library) => {
    self.library = library
    if (!self.over) begin(entry.url === null ? null : uploadPath(env, entry.url))
  }
  env.library().then(start, () => end({ problem: { code: 'NETWORK_ERROR' }, retryAfter: null }))
  return {
    abort() {
      self.over = true
      self.upload?.abort()
    },
  }
}

function uploadOf(library, env, entry, self, url, on, { end, failed }) {
  const upload = new library.Upload(entry.file, {
    // With both, the library would begin anew after any refusal of its question, be the station only busy.
    ...(url === null ? { endpoint: ENDPOINT } : { uploadUrl: url }),
    ...(env.httpStack && { httpStack: env.httpStack }),
    metadata: metadataOf(entry, self.fileId),
    retryDelays: null,
    storeFingerprintForResuming: false,
    onBeforeRequest(request) {
      const code = wrongness(env, request)
      if (code !== null) end({ problem: { code } })
      // Aborted before its first request: the library would not notice.
      if (self.over) throw new Error('not to be sent')
    },
    onAfterResponse(_, response) {
      const id = response.getHeader('X-File-Id')
      if (!self.over && id && id !== self.fileId) self.number(id)
    },
    onUploadUrlAvailable: () => !self.over && on.url(uploadPath(env, upload.url)),
    onProgress: (bytes) => !self.over && on.sent(bytes),
    onChunkComplete(_, accepted, size) {
      if (accepted >= size) return
      // The library would go on at once, and so undo the pause.
      upload.abort()
      end({ problem: null, paused: true })
    },
    onSuccess: () => end({ problem: null }),
    onError: failed,
  })
  return upload
}

function metadataOf({ sessionId, name, file }, fileId) {
  const told = { sessionId, filename: name, filetype: file.type || 'application/octet-stream' }
  return fileId === null ? told : { ...told, fileId }
}

function outcomeOf({ originalRequest, originalResponse }, now) {
  if (!originalRequest) return { problem: { code: 'FILE_UNREADABLE' }, retryAfter: null }
  const status = originalResponse?.getStatus() ?? 0
  if (status === 0) return { problem: { code: 'NETWORK_ERROR' }, retryAfter: null }
  const { error, message, details, solution, requestId } = parsed(originalResponse.getBody())
  const code = error ?? BY_STATUS[status] ?? 'SERVER_ERROR'
  return {
    problem: { code, message, details, solution, requestId },
    retryAfter: retryAfter(originalResponse.getHeader('Retry-After'), now),
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}
