import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Awake } from '../../static/js/awake.js'
import { settle } from './fakes.mjs'

function screen({ lock = false, film = true, refuse = false } = {}) {
  const seen = { locks: [], films: [], scripts: [], on: [], listeners: new Set() }
  const document = {
    visibilityState: 'visible',
    addEventListener: (_, call) => seen.listeners.add(call),
    removeEventListener: (_, call) => seen.listeners.delete(call),
  }
  class NoSleep {
    constructor() {
      this.isEnabled = false
      seen.films.push(this)
    }
    async enable() {
      if (refuse) throw new Error('not within a touch')
      this.isEnabled = true
    }
    disable() {
      this.isEnabled = false
    }
  }
  const request = async () => {
    if (refuse) throw new Error('battery')
    const made = { released: false, release: async () => (made.released = true) }
    seen.locks.push(made)
    return made
  }
  const env = {
    document,
    noSleep: () => (film ? NoSleep : undefined),
    ...(lock && { wakeLock: { request } }),
  }
  const need = async (path) => {
    seen.scripts.push(path)
    if (!film) throw new Error('did not come')
  }
  const awake = new Awake(env, need, (on) => seen.on.push(on))
  const show = async (state) => {
    document.visibilityState = state
    for (const call of seen.listeners) call()
    await settle()
  }
  return { awake, seen, show }
}

test('where there is a wake lock it is taken, and given back', async () => {
  const { awake, seen } = screen({ lock: true })
  awake.prepare()
  awake.on()
  awake.on()
  await settle()
  awake.on()
  assert.deepEqual([seen.locks.length, seen.scripts.length, seen.on], [1, 0, [true]])
  awake.off()
  assert.deepEqual([seen.locks[0].released, seen.on.at(-1), seen.listeners.size], [true, false, 0])
})

test('a lock that was lost while the page was hidden is taken anew', async () => {
  const { awake, seen, show } = screen({ lock: true })
  awake.on()
  await settle()
  seen.locks[0].released = true
  await show('hidden')
  assert.equal(seen.locks.length, 1)
  await show('visible')
  assert.equal(seen.locks.length, 2)
  awake.off()
  await show('visible')
  assert.equal(seen.locks.length, 2)
})

test('what is over before the lock came is given back', async () => {
  const { awake, seen } = screen({ lock: true })
  awake.on()
  awake.off()
  await settle()
  assert.deepEqual([seen.locks[0].released, seen.on.at(-1)], [true, false])
})

test('on plain http a film plays, whose script was fetched before', async () => {
  const { awake, seen } = screen()
  awake.prepare()
  await settle()
  assert.deepEqual(seen.scripts, ['/static/vendor/NoSleep.min.js'])
  awake.on()
  await settle()
  assert.deepEqual([seen.films.length, seen.films[0].isEnabled, seen.on], [1, true, [true]])
  awake.off()
  assert.equal(seen.films[0].isEnabled, false)
  awake.on()
  assert.equal(seen.films.length, 1)
})

test('a refusal, a missing library and a world without a screen hurt nobody', async () => {
  for (const options of [{ refuse: true }, { lock: true, refuse: true }, { film: false }]) {
    const { awake, seen } = screen(options)
    awake.prepare()
    awake.on()
    await settle()
    assert.ok(!seen.on.includes(true))
    awake.off()
  }
  const bare = new Awake({}, null)
  bare.prepare()
  bare.on()
  bare.off()
})
