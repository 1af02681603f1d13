// Icons that only the operator's page draws, from Lucide 1.62.0 (ISC, see static/vendor/LICENSE.lucide), besides those
// of the other pages. Knows no meaning.

import { h } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { Icon as Common } from '../icons.js'

const SHAPES = Object.freeze({
  'circle-help': [
    ['circle', { cx: '12', cy: '12', r: '10' }],
    ['path', { d: 'M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3' }],
    ['path', { d: 'M12 17h.01' }],
  ],
  download: [
    ['path', { d: 'M12 15V3' }],
    ['path', { d: 'M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4' }],
    ['path', { d: 'm7 10 5 5 5-5' }],
  ],
  trash: [
    ['path', { d: 'M10 11v6' }],
    ['path', { d: 'M14 11v6' }],
    ['path', { d: 'M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6' }],
    ['path', { d: 'M3 6h18' }],
    ['path', { d: 'M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2' }],
  ],
  'log-out': [
    ['path', { d: 'm16 17 5-5-5-5' }],
    ['path', { d: 'M21 12H9' }],
    ['path', { d: 'M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4' }],
  ],
  'arrow-left': [
    ['path', { d: 'm12 19-7-7 7-7' }],
    ['path', { d: 'M19 12H5' }],
  ],
})

/** Never the only carrier of a meaning: words are beside it, or in its button's name. */
export const Icon = ({ name }) => {
  if (!(name in SHAPES)) return h(Common, { name })
  const drawn = Common({ name: 'x' })
  return h(
    'svg',
    drawn.props,
    SHAPES[name].map(([tag, shape]) => h(tag, shape)),
  )
}
Icon.props = ['name']
