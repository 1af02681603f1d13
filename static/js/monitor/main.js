// Puts the operator's page in the place of the words that stand there without JavaScript.

import { createApp } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { sentencesOf } from '../useLanguage.js'
import { MonitorApp } from './app.js'
import { monitorEnv } from './useMonitor.js'

const root = document.getElementById('app')
const language = document.documentElement.lang
const env = monitorEnv()
const { STRINGS: strings } = await env.module(sentencesOf(language), 0)
createApp(MonitorApp, { language, strings, env }).mount(root)
