// What a message makes of one file, as pure functions of the file. Knows nothing of sessions, numbers or replay.

/** A file of which only the id is known. */
export const newFile = (id) => ({
  id,
  originalName: '',
  status: 'pending',
  progress: 0,
  uploadedBytes: 0,
  totalBytes: null,
  uploadSpeed: 0,
  retryCount: 0,
})

const ENDED = ['completed', 'failed', 'cancelled']

/** By event: (file, data) -> file. */
export const ON_FILE = {
  'upload-started': (file, data) => {
    const from = data.resumedFrom ?? 0
    return {
      ...file,
      originalName: data.fileName,
      totalBytes: data.fileSize ?? null,
      status: 'uploading',
      attempt: data.attempt,
      uploadedBytes: from,
      progress: data.fileSize ? (from / data.fileSize) * 100 : 0,
      uploadSpeed: 0,
      estimatedTimeRemaining: null,
      error: null,
      canRetry: null,
      retryUntil: null,
      retryCount: file.status === 'failed' ? file.retryCount + 1 : file.retryCount,
    }
  },
  'upload-completed': (file, data) => ({
    ...file,
    ...named(file, data),
    status: 'completed',
    progress: 100,
    uploadedBytes: data.fileSize,
    totalBytes: data.fileSize,
    uploadPath: data.uploadPath,
    uploadSpeed: 0,
    estimatedTimeRemaining: 0,
    error: null,
    ...detail('upload-completed', data),
  }),
  'upload-failed': (file, data) => ({
    ...file,
    ...named(file, data),
    status: 'failed',
    uploadSpeed: 0,
    estimatedTimeRemaining: null,
    retryCount: data.retryCount,
    ...detail('upload-failed', data),
  }),
  'upload-cancelled': (file, data) => ({
    ...file,
    status: 'cancelled',
    uploadSpeed: 0,
    estimatedTimeRemaining: null,
    uploadedBytes: data.uploadedBytes ?? file.uploadedBytes,
    error: null,
    ...detail('upload-cancelled', data),
  }),
}

const named = (file, data) => ({ originalName: data.fileName ?? file.originalName })

/** What an event says of a file that a snapshot leaves out. */
export function detail(event, data) {
  if (event === 'upload-completed') {
    return { duration: data.duration, finalSpeed: data.finalSpeed, checksum: data.checksum ?? null }
  }
  if (event === 'upload-failed') {
    return {
      error: data.error,
      canRetry: data.canRetry,
      retryUntil: data.retryUntil ?? null,
      maxRetries: data.maxRetries,
    }
  }
  return event === 'upload-cancelled' ? { reason: data.reason } : {}
}

/** How each ending leaves its file. */
export const STATUS_OF = { 'upload-completed': 'completed', 'upload-failed': 'failed', 'upload-cancelled': 'cancelled' }

/** The file as a progress message shows it. */
export function advanced(file, data) {
  // Two carriers overlap while one takes over from the other, so an older number may come late.
  if (ENDED.includes(file.status) || data.uploadedBytes < file.uploadedBytes) return file
  return {
    ...file,
    status: data.currentFile?.status ?? file.status,
    progress: data.progress,
    uploadedBytes: data.uploadedBytes,
    totalBytes: data.totalBytes ?? file.totalBytes,
    estimated: data.estimated,
    uploadSpeed: data.speed,
    estimatedTimeRemaining: data.currentFile?.estimatedTimeRemaining ?? null,
  }
}

const DETAILS = ['canRetry', 'retryUntil', 'maxRetries', 'reason', 'duration', 'finalSpeed', 'checksum']

/**
 * The file of a snapshot, with the details that only events tell where the snapshot does not contradict them.
 * @param {boolean} sameMoment no lifecycle event lies between the two
 */
export function keepDetail(old, file, sameMoment) {
  if (!old || old.status !== file.status || old.retryCount !== file.retryCount) return file
  // With no lifecycle event in between it is the same attempt, and within one the numbers never go down.
  if (sameMoment && old.uploadedBytes > file.uploadedBytes) return old
  const kept = Object.fromEntries(DETAILS.filter((name) => old[name] !== undefined).map((name) => [name, old[name]]))
  return { ...kept, ...file }
}
