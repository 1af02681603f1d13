// Hides the plain form until the page is drawn over it, so that nobody reaches for a button that is about to move.
// A classic script: it runs before the first paint. If the page does not come, the form is shown after all.
;(function () {
  if (!('noModule' in HTMLScriptElement.prototype)) return
  var root = document.documentElement
  root.classList.add('starting')
  setTimeout(function () {
    root.classList.remove('starting')
  }, 4000)
})()
