import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STRINGS } from '../../static/js/en.js'
import { sentencesOf, useLanguage } from '../../static/js/useLanguage.js'
import { STRINGS as ZH } from '../../static/js/zh.js'
import { nextTick } from '../../static/vendor/vue.runtime.esm-browser.prod.js'
import { Clock, settle } from './fakes.mjs'

function pageAt(href) {
  const clock = new Clock()
  const page = { asked: [], down: false, replaced: null, clock }
  page.env = {
    document: { cookie: '', documentElement: { lang: '' } },
    location: { href },
    history: { state: null, replaceState: (_, __, address) => (page.replaced = address) },
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    random: () => 0.5,
    async module(name, tries) {
      page.asked.push(`${name} ${tries}`)
      if (page.down) throw new TypeError('Failed to fetch dynamically imported module')
      return { STRINGS: name === 'en.js' ? STRINGS : ZH }
    },
  }
  return page
}

test('the language changes in place, and is remembered', async () => {
  const { env, asked, replaced } = pageAt('http://station/s/1')
  const { words, other, change } = useLanguage('zh-CN', ZH, env)
  assert.equal(env.document.documentElement.lang, 'zh-CN')
  assert.equal(words.value.say('send'), '开始上传')
  assert.equal(other.value, 'en')
  change()
  await settle()
  assert.equal(words.value.say('send'), 'Send')
  assert.equal(env.document.documentElement.lang, 'en')
  assert.match(env.document.cookie, /^lang=en; Path=\/; Max-Age=31536000; SameSite=Lax$/)
  assert.equal(replaced, null)
  change()
  await nextTick()
  assert.equal(words.value.say('send'), '开始上传')
  change()
  assert.deepEqual(asked, ['en.js 0'])
})

test('a language in the address does not win over the choice at the next visit', async () => {
  const page = pageAt('http://station/s/1?lang=en&a=1#x')
  useLanguage('en', STRINGS, page.env).change()
  await settle()
  assert.equal(page.replaced, '/s/1?a=1#x')
  assert.match(page.env.document.cookie, /^lang=zh-CN;/)
})

test('a language that does not come leaves the page as it is, and changes it when it is here', async () => {
  const page = pageAt('http://station/')
  page.down = true
  const { words, change } = useLanguage('en', STRINGS, page.env)
  change()
  await settle()
  assert.equal(words.value.say('send'), 'Send')
  page.down = false
  await page.clock.pass(1000)
  assert.equal(words.value.say('send'), '开始上传')
  assert.deepEqual(page.asked, ['zh.js 0', 'zh.js 1'])
})

test('each language has a module of its own', () => {
  assert.deepEqual(['zh-CN', 'en', 'fr'].map(sentencesOf), ['zh.js', 'en.js', 'en.js'])
})
