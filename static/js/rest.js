// The rest of the page: all that follows a choice. Fetched when somebody begins, so that the first look comes soon.

import { Done } from './done.js'
import { Pin } from './pin.js'
import { Sending } from './sending.js'

export { Chosen, Refused, Unfinished } from './chosen.js'
export { Question } from './dialog.js'
export { Said, title } from './spoken.js'
export { useSession } from './useSession.js'

export const STEPS = Object.freeze({ pin: Pin, sending: Sending, done: Done })
