// Puts the kiosk's screen in the place of the words that stand there without JavaScript.

import { createApp } from '../vendor/vue.runtime.esm-browser.prod.js'
import { KioskApp } from './kioskApp.js'
import { kioskEnv } from './useKiosk.js'
import { sentencesOf } from './useLanguage.js'

const root = document.getElementById('app')
const language = document.documentElement.lang
const env = kioskEnv()
const { STRINGS: strings } = await env.module(sentencesOf(language), 0)
const { category, wifi } = root.dataset
createApp(KioskApp, { category, wifi, language, strings, env }).mount(root)
