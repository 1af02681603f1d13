// The start of a visit: the QR code, the short code, and what to do, for somebody two metres away. Only draws.

import { html } from './html.js'
import { Icon } from './icons.js'
import { pictureOf } from './kioskApi.js'

const grouped = (code) => code.replace(/(\d{3})(?=\d)/g, '$1\u2009')
const host = (url) => url.replace(/^https?:\/\//, '')

/** The link of the session, as a picture; a blank sheet of the same size until there is one. */
export const Scan = ({ at, words }) => {
  const handed = at.handed.value
  return html`<div class="scan">
    ${
      handed === null
        ? html`<p class="blank">${words.say('gettingReady')}</p>`
        : html`<img src=${pictureOf(at.sessionId.value, handed.url)} alt=${words.say('link')} data-url=${handed.url} />`
    }
  </div>`
}
Scan.props = ['at', 'words']

/** For whoever cannot scan. The code changes in place. */
export const Code = ({ handed, words }) =>
  handed &&
  html`<p class="typed">
    <span>${words.say('noCamera')} <strong class="host">${host(handed.codeUrl)}</strong></span>${' '}
    <span>${words.say('typeCode')} <strong class="code" data-code=${handed.code}>${grouped(handed.code)}</strong></span>
  </p>`
Code.props = ['handed', 'words']

const step = (number, text, now) => html`<li class=${now ? 'now' : ''} aria-current=${now ? 'step' : null}>
  <span class="number" aria-hidden="true">${number}</span><span>${text}</span>
</li>`

const joining = (words, wifi) => html`<figure class="wifi">
  <img src="/kiosk/wifi.svg" alt=${words.say('wifiCode')} />
  <figcaption><span class="number" aria-hidden="true">1</span> Wi-Fi <strong>${wifi}</strong></figcaption>
</figure>`

/** `wifi`: the name of the network to join, or "". */
export const Welcome = ({ at, words, wifi }) => {
  const here = at.stage.value === 'connected'
  return html`<section class=${`welcome ${wifi ? 'with-wifi' : ''}`}>
    <${Scan} at=${at} words=${words} />
    <div class="how">
      <h1 tabindex="-1" class=${here ? 'here' : ''}>
        ${here && html`<${Icon} name="circle-check" />`}${words.say(here ? 'here' : 'kioskTitle')}</h1>
      <div class="guide">
        <ol class="steps" role="list" aria-label=${words.say('steps')}>
          ${step(1, words.say('wifiStep'), false)}
          ${step(2, words.say(wifi ? 'scanLarge' : 'scanStep'), !here)}
          ${step(3, words.say('chooseStep'), here)}
        </ol>
        ${wifi && joining(words, wifi)}
      </div>
      <${Code} handed=${at.handed.value} words=${words} />
    </div>
  </section>`
}
Welcome.props = ['at', 'words', 'wifi']
