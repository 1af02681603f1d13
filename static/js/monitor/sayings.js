// Why something failed is a sentence of the station's, in English: the same in the words of the page. Pure.

const SAYINGS = [
  [/^it answered (?<status>\d+)$/, 'saysStatus'],
  [/^it did not answer within (?<span>.+)$/, 'saysNothing'],
  [/^it hung up without an answer$/, 'saysHungUp'],
  [/^connection refused$/, 'saysRefused'],
  [/^its name is not known$/, 'saysUnknown'],
  [/^its answer is no HTTP$/, 'saysNoHttp'],
  [/^its certificate is not trusted: (?<why>.+)$/, 'saysUntrusted'],
  [/^no secure connection: (?<why>.+)$/, 'saysInsecure'],
  [/^no connection$/, 'saysNoConnection'],
  [/^exit status (?<status>\d+)$/, 'saysExit'],
  [/^it was ended by signal (?<signal>\d+)$/, 'saysSignal'],
  [/^it cannot be started: (?<why>.+)$/, 'saysNoStart'],
  [/^it was not done after (?<span>.+)$/, 'saysSlow'],
  [/^its hook was off$/, 'saysOff'],
  [/^the content looks like (?<kind>.+)$/, 'saysKind'],
  // All endings that the station takes: whoever reads this has set them.
  [/^allowed: /, null],
]

/** What nobody put into words stays as it is. */
export function inWords(text, say) {
  for (const [pattern, name] of SAYINGS) {
    const found = pattern.exec(text)
    if (found !== null) return name === null ? '' : say(name, found.groups)
  }
  return text
}
