// A call of the API of which a failure is shown on the page, not thrown. Knows where it is shown.

/** @returns {Promise<any>} null when it failed, else what the call gives */
export async function attempt(page, call) {
  page.problem = null
  try {
    return await call()
  } catch (fault) {
    page.problem = fault.problem ?? { code: 'UPLOAD_FAILED' }
    return null
  }
}
