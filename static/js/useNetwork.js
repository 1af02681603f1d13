// Whether there is a network, as far as a page can tell: the browser says so, or the station was heard. Knows both;
// what is done about it is told through the callbacks.

import { onScopeDispose, ref, watch } from '../vendor/vue.runtime.esm-browser.prod.js'

const HEARD = ['live', 'polling']

/**
 * @param {object} env {onLine(), addEventListener, removeEventListener}
 * @param {import('vue').Ref<string>} status of the connection
 * @param {{back: () => void, away: () => void}} on back: also when the station comes back and the network was there
 */
export function useNetwork(env, status, { back, away }) {
  const online = ref(env.onLine())
  let lost = false
  const hear = () => {
    online.value = true
    lost = false
    back()
  }
  const lose = () => {
    online.value = false
    away()
  }
  watch(status, (now) => {
    if (now === 'offline') lost = true
    else if (HEARD.includes(now) && (lost || !online.value)) hear()
  })
  env.addEventListener('online', hear)
  env.addEventListener('offline', lose)
  onScopeDispose(() => {
    env.removeEventListener('online', hear)
    env.removeEventListener('offline', lose)
  })
  if (!online.value) away()
  return online
}
