// Small things to draw: a bar, the state of the connection, a problem, pickers and buttons. Only draw; decide nothing.

import { html } from './html.js'
import { Icon } from './icons.js'

const scale = (progress) => ({ transform: `scaleX(${Math.min(progress, 100) / 100})` })

/** A bar that says its number to those who do not see it. `sent`, if it is known, is drawn paler below `progress`. */
export const Bar = ({ label, progress, sent, tone }) => html`
  <div class=${`bar ${tone ?? ''}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${Math.floor(progress)}>
    ${typeof sent === 'number' && html`<div class="fill sent" style=${scale(Math.max(sent, progress))} />`}
    <div class="fill" style=${scale(progress)} />
  </div>`
Bar.props = ['label', 'progress', 'sent', 'tone']

const STATES = {
  live: 'live',
  connecting: 'connecting',
  'catching-up': 'catchingUp',
  polling: 'polling',
  offline: 'offline',
  ended: 'ended',
}
const TRANSPORTS = { websocket: 'WebSocket', sse: 'SSE' }

const carriedBy = (transport, words) =>
  words.say('over', { transport: TRANSPORTS[transport] ?? words.say('pollingName') })

/** `online`: false when this device itself has no network. */
export const Connection = ({ status, transport, online, words }) =>
  STATES[status] &&
  html`
  <p class=${`connection ${online === false ? 'offline' : status}`} data-status=${status} data-transport=${transport}
    title=${transport ? carriedBy(transport, words) : null}>
    <span class="dot" aria-hidden="true" />${words.say(online === false ? 'noNetwork' : STATES[status])}
  </p>`
Connection.props = ['status', 'transport', 'online', 'words']

/** What happened and what to do about it. Said aloud at once, unless `quiet`: then another does. */
export const Problem = ({ problem, words, contact, quiet }) => {
  const { kind, message, advice, details, help } = words.error(problem, contact)
  return html`<p class="problem" role=${quiet ? null : 'alert'} data-kind=${kind}>
    <strong>${message}</strong>${advice}${details && html`<small>${details}</small>`}
    ${help && html`<small>${help}</small>`}
  </p>`
}
Problem.props = ['problem', 'words', 'contact', 'quiet']

/** How many files are being looked at before they may go. */
export const Looking = ({ count, words }) =>
  count > 0 && html`<p class="hint" role="status">${words.say('preparing', { files: words.files(count) })}</p>`
Looking.props = ['count', 'words']

/** Facts in a row. A line breaks between them, never within one. */
export const Facts = ({ facts }) => html`
  <span class="facts">${facts
    .filter((fact) => fact !== '')
    .map((fact, index, all) => html`<span>${fact}${index < all.length - 1 && ' ·'}</span>${' '}`)}</span>`
Facts.props = ['facts']

const taken = (onFiles) => (event) => {
  onFiles(event.target.files)
  // The same file may be chosen again after it was removed from the list.
  event.target.value = ''
}

/**
 * A button that opens the browser's own picker. The input stays in the tab order, under the label.
 * `look`: big, quiet, tile. `pick`: further attributes of the input, `{accept, capture, webkitdirectory}`.
 */
export const Picker = ({ label, name, look, icon, pick, onFiles }) => html`
  <label class=${`button ${look ?? 'big'}`}>
    <input type="file" multiple=${!pick?.capture} class="unseen" aria-label=${name ?? null} ...${pick ?? {}}
      onChange=${taken(onFiles)} />
    ${icon && html`<${Icon} name=${icon} />`}<span>${label}</span>
  </label>`
Picker.props = ['label', 'name', 'look', 'icon', 'pick', 'onFiles']

/** What a button bears whose order is under way. Unlike a disabled one it keeps the focus. */
export const underWay = (is) => (is ? { 'aria-busy': 'true', 'aria-disabled': 'true' } : {})

/** A button of a picture; `label` is its name. */
export const IconButton = ({ icon, label, look, ordered, onPress }) => html`
  <button type="button" class=${`plain ${look ?? ''}`} aria-label=${label} title=${label} ...${underWay(ordered)}
    onClick=${onPress}>
    <${Icon} name=${icon} />
  </button>`
IconButton.props = ['icon', 'label', 'look', 'ordered', 'onPress']
