// The station's HTTP calls that the page makes, but for the files themselves. Keeps nothing.

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** What a request failed with, in the shape of the station's own errors. */
export class CallFailed extends Error {
  constructor(code, answer = {}) {
    super(code)
    this.problem = { code, message: answer.message, details: answer.details, solution: answer.solution }
  }
}

async function call(env, path, options = {}) {
  let response
  let answer
  try {
    response = await env.fetch(path, { cache: 'no-store', ...options })
    answer = await response.json()
  } catch {
    throw new CallFailed(response && !response.ok ? 'SERVER_ERROR' : 'NETWORK_ERROR')
  }
  if (!response.ok) throw new CallFailed(answer.error ?? 'SERVER_ERROR', answer)
  return answer
}

const post = (env, path, body) => call(env, path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) })
const described = (files) => files.map(({ name, size, type }) => ({ name, size, type: type ?? '' }))

export const fetchConfig = (env) => call(env, '/api/upload/config')

export const validate = (env, files) => post(env, '/api/upload/validate', { files: described(files) })

export const openSession = (env, category, files) =>
  post(env, '/api/upload/session', { category, files: described(files) })

/** @param {string | null} fileId null: everything that is not finished */
export const cancel = (env, sessionId, fileId = null) =>
  post(
    env,
    `/api/upload/cancel/${encodeURIComponent(sessionId)}`,
    fileId === null ? { reason: 'user' } : { fileId, reason: 'user' },
  )

export function fileAddress(sessionId, name, fileId) {
  const ask = fileId === null ? '' : `?fileId=${encodeURIComponent(fileId)}`
  // A name of dots alone would be taken for a step in the path by the browser.
  const safe = /^\.{1,2}$/.test(name) ? 'file' : encodeURIComponent(name)
  return `/api/upload/session/${encodeURIComponent(sessionId)}/files/${safe}${ask}`
}
