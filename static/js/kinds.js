// Whose affair an error is, and whether it is tried again: by itself, a few times, by hand or never. Pure.

import { ERRORS } from './errors.js'

// What goes wrong on this side only has no row in the station's table.
const LOCAL = {
  FILE_UNREADABLE: { kind: 'file', retry: true },
  STALLED: { kind: 'network', retry: true },
  OFFLINE: { kind: 'network', retry: true },
  ALREADY_HERE: { kind: 'file', retry: false },
}
// Trying again helps with these only once somebody did something: freed some space, sent the other file, waited.
const BY_HAND = ['CHECKSUM_MISMATCH', 'INSUFFICIENT_STORAGE', 'FILE_UNREADABLE', 'TOO_MANY_TRIES']
// What these tell is where the upload stands, not how good the line is.
const NO_LOSS = ['OFFSET_MISMATCH', 'UPLOAD_LOCKED']

const row = (code) => LOCAL[code] ?? ERRORS[code] ?? { kind: 'system', retry: true }

/** @returns {'network' | 'file' | 'system'} */
export const kindOf = (code) => row(code).kind

/** @returns {'itself' | 'tries' | 'hand' | 'never'} */
export function retrying(code) {
  // Gone is the address, not the file: another upload may be made.
  if (code === 'UPLOAD_GONE') return 'tries'
  if (!row(code).retry) return 'never'
  if (BY_HAND.includes(code)) return 'hand'
  return kindOf(code) === 'network' ? 'itself' : 'tries'
}

/** Whether no answer came at all. */
export const isUnheard = (code) => ['NETWORK_ERROR', 'STALLED'].includes(code)

/** Whether the network, or a station that has too much to do, lost something: then fewer files at once do better. */
export const isLoss = (code) => kindOf(code) === 'network' && !NO_LOSS.includes(code)
