// How many files are sent at once: fewer as soon as the network loses, one more after a while without a loss. Pure.

export const MOST = 3
const CALM = 10000

/** @param {number} now milliseconds on any clock */
export const startPace = (now) => ({ limit: MOST, since: now })

/** Something was lost: half as many, but one goes on. */
export const lost = ({ limit }, now) => ({ limit: Math.max(1, Math.floor(limit / 2)), since: now })

/** A file got through. */
export const finished = ({ limit }, now) => ({ limit: Math.min(MOST, limit + 1), since: now })

/** Bytes flow. */
export const flowing = (pace, now) => (pace.limit < MOST && now - pace.since >= CALM ? finished(pace, now) : pace)
