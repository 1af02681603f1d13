// The page's sentences by language.

import { EN } from './en.js'
import { ZH } from './zh.js'

export const STRINGS = Object.freeze({ zh: ZH, en: EN })

/** @param {string} language "zh-CN", "en", as in <html lang> */
export const key = (language) => (String(language).toLowerCase().startsWith('zh') ? 'zh' : 'en')
