import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useLanguage } from '../../static/js/useLanguage.js'
import { nextTick } from '../../static/vendor/vue.runtime.esm-browser.prod.js'

const fakePage = (href) => {
  const page = { document: { cookie: '', documentElement: { lang: '' } }, location: { href }, replaced: null }
  page.history = { state: null, replaceState: (_, __, address) => (page.replaced = address) }
  return page
}

test('the language changes in place, and is remembered', async () => {
  const page = fakePage('http://station/s/1')
  const { words, other, change } = useLanguage('zh-CN', page)
  assert.equal(page.document.documentElement.lang, 'zh-CN')
  assert.equal(words.value.say('send'), '开始上传')
  assert.equal(other.value, 'en')
  change()
  await nextTick()
  assert.equal(words.value.say('send'), 'Send')
  assert.equal(page.document.documentElement.lang, 'en')
  assert.match(page.document.cookie, /^lang=en; Path=\/; Max-Age=31536000; SameSite=Lax$/)
  assert.equal(page.replaced, null)
})

test('a language in the address does not win over the choice at the next visit', () => {
  const page = fakePage('http://station/s/1?lang=en&a=1#x')
  useLanguage('en', page).change()
  assert.equal(page.replaced, '/s/1?a=1#x')
  assert.match(page.document.cookie, /^lang=zh-CN;/)
})
