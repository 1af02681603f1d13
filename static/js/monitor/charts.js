// The charts over the last hour or day, and the same as a table. Draws; plot.js handles the library, series.js the
// words.

import { onBeforeUnmount, onMounted, ref, watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { fetchSeries } from './api.js'
import { Plot } from './plot.js'
import { measured, NAMES, summary, table } from './series.js'
import { useFetched } from './useLists.js'

const SPANS = ['hour', 'day']
const EVERY = 10000

const Chart = {
  props: ['name', 'points', 'words', 'env'],
  setup(props) {
    const place = ref(null)
    const pointed = ref(null)
    let plot = null
    onMounted(() => {
      plot = new Plot(props.env, place.value, props.name, (value) => {
        pointed.value = value
      })
      plot.show(props.points, props.words)
    })
    watch([() => props.points, () => props.words.language], () => plot.show(props.points, props.words))
    onBeforeUnmount(() => plot.stop())
    return ({ name, points, words }) => html`<figure class="chart" data-chart=${name}>
      <h3>${words.say(name)}<span class="value">${pointed.value !== null && measured(name, pointed.value, words)}</span></h3>
      <div ref=${place} class="plot" aria-hidden="true" />
      <figcaption class="hint">${summary(points, name, words)}</figcaption>
    </figure>`
  },
}

// A day has two dates.
const asTable = ({ points, span }, words) => html`<details class="as-table">
  <summary>${words.say('asTable')}</summary>
  <div class="scrolls" tabindex="0" role="region" aria-label=${words.say('tableTitle')}>
  <table>
    <caption>${words.say('tableTitle')}</caption>
    <thead><tr><th scope="col">${words.say('time')}</th>
      ${NAMES.map((name) => html`<th key=${name} scope="col">${words.say(name)}</th>`)}</tr></thead>
    <tbody>${table(points).map(
      ({ at, values }) => html`<tr key=${at}><th scope="row">${span === 'day' ? words.dated(at) : words.moment(at)}</th>
        ${values.map((value, index) => html`<td key=${index}>${measured(NAMES[index], value, words)}</td>`)}</tr>`,
    )}</tbody>
  </table></div>
</details>`

export const Charts = {
  props: ['at', 'words'],
  setup({ at }) {
    const span = ref('hour')
    const load = () => fetchSeries(at.env, span.value)
    const { value } = useFetched(at, load, span, EVERY)
    const choose = (name) => () => {
      span.value = name
    }
    return ({ words }) => html`<section class="charts">
      <h2>${words.say('charts')}</h2>
      <div class="spans" role="group" aria-label=${words.say('charts')}>${SPANS.map(
        (name) => html`<button key=${name} type="button" class="button quiet"
          aria-pressed=${String(span.value === name)} onClick=${choose(name)}>${words.say(name)}</button>`,
      )}</div>
      ${
        value.value !== null &&
        html`<div class="columns" data-span=${value.value.span}>${NAMES.map(
          (name) => html`<${Chart} key=${name} name=${name} points=${value.value.points} words=${words}
            env=${at.env} />`,
        )}</div>${asTable(value.value, words)}`
      }
    </section>`
  },
}
