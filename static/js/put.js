// One request that carries one file. Knows how it is sent and what its answer means; nothing of queues or of trying again.

import { fileAddress } from './api.js'
import { retryAfter } from './backoff.js'

/**
 * Sends the file. The request is XMLHttpRequest's because only that tells how much of a body has left.
 * @param {object} env {XMLHttpRequest, now}
 * @param {{sessionId: string, name: string, fileId: string | null, file: File}} what
 * @param {(outcome: {fileId?: string, problem: object | null, retryAfter?: number | null}) => void} done
 *   called once, later; retryAfter in milliseconds
 * @returns {{abort: () => void}}
 */
export function put(env, { sessionId, name, fileId, file }, done) {
  const request = new env.XMLHttpRequest()
  const broken = () => done({ problem: { code: 'NETWORK_ERROR' }, retryAfter: null })
  request.onload = () => done(outcomeOf(request, env.now()))
  request.onerror = broken
  request.onabort = broken
  request.open('PUT', fileAddress(sessionId, name, fileId))
  request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
  request.send(file)
  return request
}

function outcomeOf(request, now) {
  const { id, error, message, details, solution } = parsed(request.responseText)
  if (request.status >= 200 && request.status < 300) return { fileId: id, problem: null }
  return {
    problem: { code: error ?? 'SERVER_ERROR', message, details, solution },
    retryAfter: retryAfter(request.getResponseHeader('Retry-After'), now),
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}
