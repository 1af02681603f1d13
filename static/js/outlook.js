// How far the files of a visit are, in the few numbers that decide whether the visit is over. Pure.

import { retryable } from './words.js'

const OPEN = ['pending', 'uploading', 'paused']
const STATUSES = [...OPEN, 'completed', 'failed', 'cancelled']

export const NOTHING = Object.freeze({ count: 0, open: 0, uploading: 0, mark: '' })

// A snapshot does not say whether a failed file may be tried again, but the error's row does.
const isOpen = ({ status, canRetry, error }) =>
  OPEN.includes(status) || (status === 'failed' && (canRetry ?? retryable(error?.code)))

/**
 * @param {{files: object[]}} state what is known of a session (events.js)
 * @returns {{count: number, open: number, uploading: number, mark: string}} `open`: not final; `mark` changes whenever
 *   anything came
 */
export function outlook({ files }) {
  const of = (status) => files.filter((file) => file.status === status).length
  const bytes = files.reduce((sum, { uploadedBytes }) => sum + (uploadedBytes ?? 0), 0)
  return {
    count: files.length,
    open: files.filter(isOpen).length,
    uploading: of('uploading'),
    mark: [bytes, ...STATUSES.map(of)].join(),
  }
}
