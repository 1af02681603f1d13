// Small things to draw: a bar, the state of the connection, a problem, the picker's button. Only draw; decide nothing.

import { html } from './html.js'

/** A bar that says its number to those who do not see it. */
export const Bar = ({ label, progress, tone }) => html`
  <div class=${`bar ${tone ?? ''}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${Math.floor(progress)}>
    <div class="fill" style=${{ transform: `scaleX(${Math.min(progress, 100) / 100})` }} />
  </div>`
Bar.props = ['label', 'progress', 'tone']

const STATES = {
  live: 'live',
  connecting: 'connecting',
  'catching-up': 'catchingUp',
  polling: 'polling',
  offline: 'offline',
  ended: 'ended',
}

export const Connection = ({ status, transport, words }) =>
  STATES[status] &&
  html`
  <p class=${`connection ${status}`} role="status" data-status=${status}
    data-transport=${transport}>
    <span class="dot" aria-hidden="true" />${words.say(STATES[status])}
  </p>`
Connection.props = ['status', 'transport', 'words']

/** What happened and what to do about it. */
export const Problem = ({ problem, words, contact }) => {
  const { message, advice, details } = words.error(problem, contact)
  return html`<p class="problem" role="alert">
    <strong>${message}</strong>${advice}${details && html`<small>${details}</small>`}
  </p>`
}
Problem.props = ['problem', 'words', 'contact']

/** A button that opens the browser's own picker. The input stays in the tab order, under the label. */
export const Picker = ({ label, quiet, onFiles }) => html`
  <label class=${quiet ? 'button quiet' : 'button big'}>
    <input type="file" multiple class="unseen" onChange=${(event) => {
      onFiles(event.target.files)
      // The same file may be chosen again after it was removed from the list.
      event.target.value = ''
    }} />${label}
  </label>`
Picker.props = ['label', 'quiet', 'onFiles']
