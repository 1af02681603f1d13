// Puts the page in the place of the plain form.

import { createApp } from '../vendor/vue.runtime.esm-browser.prod.js'
import { App } from './app.js'

const root = document.getElementById('app')
const { session } = root.dataset
createApp(App, { sessionId: session || null, language: document.documentElement.lang }).mount(root)
document.documentElement.classList.remove('starting')
