// Puts the page in the place of the plain form.

import { createApp } from '../vendor/vue.runtime.esm-browser.prod.js'
import { App } from './app.js'
import { pageEnv } from './pageEnv.js'
import { sentencesOf } from './useLanguage.js'

const root = document.getElementById('app')
const language = document.documentElement.lang
const env = pageEnv()
const { STRINGS: strings } = await env.module(sentencesOf(language), 0)
const sessionId = root.dataset.session || null
const onUsable = () => performance.mark('usable')
createApp(App, { sessionId, language, strings, env, onUsable }).mount(root)
document.documentElement.classList.remove('starting')
