import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as api from '../../static/js/api.js'
import { Clock } from './fakes.mjs'
import { ID } from './messages.mjs'

function answering(status, body, headers = {}) {
  const clock = new Clock()
  const calls = []
  const fetch = async (url, options) => {
    calls.push([options.method ?? 'GET', url, options.body && JSON.parse(options.body)])
    return {
      ok: status < 400,
      status,
      headers: new Headers(headers),
      json: async () => {
        if (body === null) throw new SyntaxError('no JSON')
        return body
      },
    }
  }
  const { setTimeout, clearTimeout } = clock
  return { calls, clock, env: { fetch, setTimeout, clearTimeout, now: () => 0 } }
}

test('calls say what they mean', async () => {
  const { calls, env, clock } = answering(201, { sessionId: ID })
  const a = { name: 'a.mp4', size: 5, type: 'video/mp4' }
  await api.openSession(env, 'personal', [
    { ...a, more: 1 },
    { name: 'b', size: 0 },
  ])
  await api.validate(env, [a])
  await api.cancel(env, ID, 'a')
  await api.cancel(env, ID)
  await api.complete(env, ID)
  await api.pause(env, ID, 'a')
  await api.resume(env, 'a/b', 'a')
  await api.fetchProgress(env, ID)
  assert.deepEqual(calls, [
    ['POST', '/api/upload/session', { category: 'personal', files: [a, { name: 'b', size: 0, type: '' }] }],
    ['POST', '/api/upload/validate', { files: [a] }],
    ['POST', `/api/upload/cancel/${ID}`, { fileId: 'a', reason: 'user' }],
    ['POST', `/api/upload/cancel/${ID}`, { reason: 'user' }],
    ['POST', `/api/upload/complete/${ID}`, {}],
    ['POST', `/api/upload/pause/${ID}`, { fileId: 'a' }],
    ['POST', '/api/upload/resume/a%2Fb', { fileId: 'a' }],
    ['GET', `/api/upload/progress/${ID}`, undefined],
  ])
  assert.equal(clock.timers.size, 0)
})

test('an answer without content is one', async () => {
  const { calls, env } = answering(204, null)
  assert.equal(await api.givePin(env, '1234'), null)
  assert.deepEqual(calls, [['POST', '/api/upload/pin', { pin: '1234' }]])
})

test('a call that fails says with what code, and when to come again', async () => {
  const problem = async (env) => api.fetchConfig(env).catch((fault) => fault.problem)
  assert.equal((await problem(answering(404, { error: 'SESSION_NOT_FOUND' }).env)).code, 'SESSION_NOT_FOUND')
  assert.equal((await problem(answering(502, null).env)).code, 'SERVER_ERROR')
  assert.equal((await problem(answering(503, null).env)).code, 'TOO_MANY_CONNECTIONS')
  const busy = await problem(
    answering(429, { error: 'RATE_LIMIT_EXCEEDED', requestId: 'r' }, { 'Retry-After': '9' }).env,
  )
  assert.deepEqual([busy.retryAfter, busy.requestId], [9000, 'r'])
  const unreachable = {
    fetch: async () => {
      throw new TypeError('Failed to fetch')
    },
  }
  assert.equal((await problem(unreachable)).code, 'NETWORK_ERROR')
})

test('an order, or an opening, that nobody answers is given up', async () => {
  const { env, clock } = answering(200, {})
  env.fetch = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  const ordered = api.pause(env, ID, 'a').catch((fault) => fault.problem.code)
  await clock.pass(3000)
  assert.equal(await ordered, 'NETWORK_ERROR')
  const opened = api.openSession(env, 'personal', []).catch((fault) => fault.problem.code)
  await clock.pass(30000)
  assert.deepEqual([await opened, clock.timers.size], ['NETWORK_ERROR', 0])
})
