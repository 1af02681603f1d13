// Messages of a made-up session, as the station would push them.

export const ID = '550e8400-e29b-41d4-a716-446655440000'
const at = '2024-01-15T10:28:30.000Z'

export const file = (id, more = {}) => ({
  id,
  originalName: `${id}.mp4`,
  status: 'pending',
  progress: 0,
  uploadedBytes: 0,
  totalBytes: 1000,
  uploadSpeed: 0,
  retryCount: 0,
  ...more,
})

export function snapshot(more = {}) {
  const files = more.files ?? []
  const of = (status) => files.filter((each) => each.status === status).length
  return {
    sessionId: ID,
    category: 'personal',
    overallStatus: 'pending',
    totalProgress: 0,
    completedFiles: of('completed'),
    failedFiles: of('failed'),
    cancelledFiles: of('cancelled'),
    estimatedTimeRemaining: null,
    files,
    seq: 0,
    epoch: 'e1',
    lastUpdate: at,
    timestamp: at,
    ...more,
  }
}

export const joined = (more = {}, seq = more.seq ?? 0) => ({
  event: 'session-joined',
  seq,
  data: { ...snapshot(more), currentSeq: more.currentSeq ?? more.seq ?? seq },
})

export const started = (seq, id, more = {}) => ({
  event: 'upload-started',
  seq,
  data: { sessionId: ID, fileId: id, fileName: `${id}.mp4`, fileSize: 1000, startTime: at, attempt: 1, ...more },
})

export const advanced = (seq, id, uploadedBytes, more = {}) => ({
  event: 'upload-progress',
  seq,
  data: {
    sessionId: ID,
    fileId: id,
    progress: uploadedBytes / 10,
    speed: 100,
    uploadedBytes,
    totalBytes: 1000,
    timestamp: at,
    estimatedTimeRemaining: 5,
    overallStatus: 'uploading',
    totalProgress: uploadedBytes / 10,
    completedFiles: 0,
    failedFiles: 0,
    message: '',
    currentFile: {
      id,
      originalName: `${id}.mp4`,
      progress: uploadedBytes / 10,
      status: 'uploading',
      uploadSpeed: 100,
      estimatedTimeRemaining: 4,
    },
    ...more,
  },
})

export const completed = (seq, id) => ({
  event: 'upload-completed',
  seq,
  data: {
    sessionId: ID,
    fileId: id,
    fileName: `${id}.mp4`,
    fileSize: 1000,
    uploadPath: `/upload/personal/${ID}_x_${id}.mp4`,
    endTime: at,
    duration: 2,
    finalSpeed: 500,
    checksum: { algorithm: 'blake3', value: 'aa' },
  },
})

export const failed = (seq, id, more = {}) => ({
  event: 'upload-failed',
  seq,
  data: {
    sessionId: ID,
    fileId: id,
    fileName: `${id}.mp4`,
    error: { code: 'NETWORK_ERROR', message: 'cut' },
    failedAt: at,
    canRetry: true,
    retryCount: 0,
    maxRetries: 3,
    retryUntil: at,
    ...more,
  },
})

export const cancelled = (seq, id, more = {}) => ({
  event: 'upload-cancelled',
  seq,
  data: { sessionId: ID, ...(id && { fileId: id }), reason: 'user', cancelledAt: at, uploadedBytes: 10, ...more },
})

export const SUMMARY = Object.freeze({
  totalFiles: 1,
  completedFiles: 1,
  failedFiles: 0,
  cancelledFiles: 0,
  totalSize: 1000,
  uploadedSize: 1000,
  averageSpeed: 500,
  totalTime: 2,
})

export const settled = (seq) => ({
  event: 'session-completed',
  seq,
  data: { sessionId: ID, summary: SUMMARY, endTime: at, uploadPaths: [`/upload/personal/${ID}_x_a.mp4`] },
})

export const lastWord = (seq, overallStatus = 'completed') => ({
  event: 'upload-progress',
  seq,
  data: {
    sessionId: ID,
    fileId: null,
    progress: 0,
    speed: 0,
    uploadedBytes: 0,
    totalBytes: 0,
    timestamp: at,
    estimatedTimeRemaining: 0,
    overallStatus,
    totalProgress: 100,
    completedFiles: 1,
    failedFiles: 0,
    message: '',
    currentFile: null,
  },
})
