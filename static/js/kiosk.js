// Puts the kiosk's screen in the place of the words that stand there without JavaScript.

import { createApp } from '../vendor/vue.runtime.esm-browser.prod.js'
import { KioskApp } from './kioskApp.js'

const root = document.getElementById('app')
const { category, wifi } = root.dataset
createApp(KioskApp, { category, wifi: wifi === 'yes', language: document.documentElement.lang }).mount(root)
