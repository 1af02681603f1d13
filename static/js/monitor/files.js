// The third part: what is stored, to be found, downloaded and deleted. Draws the list.

import { ref, watch } from '../../vendor/vue.runtime.esm-browser.prod.js'
import { html } from '../html.js'
import { Facts } from '../parts.js'
import { useFocus } from '../useFocus.js'
import { deleteFile, fetchFiles, fileAddress } from './api.js'
import { Icon } from './icons.js'
import { Choice, ListEnd, Problems, Search, Sure } from './pieces.js'
import { useCategories } from './useCategories.js'
import { useAsked, useOrder } from './useLists.js'
import { sessionLink } from './useRoute.js'

const SORTS = { newest: 'newest', largest: 'largest', name: 'byName' }
const ANYTHING = { category: '', q: '', sort: 'newest' }

const nameOf = ({ uploadPath }) => uploadPath.split('/').at(-1)

// A download says to the browser alone that a file is gone, so its row is looked after meanwhile.
const acts = (file, words, onDelete, onFetch) => html`<span class="acts">
  <a class="button quiet" href=${fileAddress(file.fileId)} download onClick=${onFetch}
    aria-label=${words.say('downloadNamed', { name: file.fileName })}>
    <${Icon} name="download" />${words.say('download')}</a>
  <button type="button" class="button quiet cancel" aria-label=${words.say('removeNamed', { name: file.fileName })}
    onClick=${() => onDelete(file)}><${Icon} name="trash" />${words.say('remove')}</button>
</span>`

const Row = ({ file, words, onDelete, onFetch }) => html`
  <li class=${`file stored-file ${file.present ? '' : 'cancelled'}`} data-file=${file.fileName}>
    <span class="name">${file.fileName}</span>
    <${Facts} facts=${[
      words.bytes(file.size),
      words.category(file.category),
      words.moment(file.endedAt),
      file.present ? '' : words.say('notPresent'),
    ]} />
    ${
      nameOf(file) !== file.fileName &&
      html`<small class="stored-as">${words.say('storedAs', { name: nameOf(file) })}</small>`
    }
    <a class="from" href=${sessionLink(file.sessionId)}
      aria-label=${`${words.say('fromSession')} ${file.sessionId.slice(0, 8)}`}>${words.say('fromSession')}</a>
    ${file.present && acts(file, words, onDelete, onFetch)}
  </li>`
Row.props = ['file', 'words', 'onDelete', 'onFetch']

const question = ({ fileName, size }, words) => ({
  title: 'removeAsk',
  text: 'removeText',
  values: { name: fileName, size: words.bytes(size) },
  yes: 'removeDo',
  no: 'back',
})

const filters = (at, asked, categories, put, words) => html`
  <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <${Search} label=${words.say('searchFiles')} value=${asked.q} env=${at.env} onSearch=${put('q')} />
    <${Choice} label=${words.say('category')} value=${asked.category} onChoose=${put('category')}
      options=${categories.options(words)} />
    <${Choice} label=${words.say('sort')} value=${asked.sort} onChoose=${put('sort')}
      options=${Object.entries(SORTS).map(([name, text]) => [name, words.say(text)])} />
  </form>`

// What another operator deletes goes from this list, too; what is not there to be deleted is shown so.
function useDeletion(at, { asked, drop, refresh }) {
  const order = useOrder(at)
  const doomed = ref(null)
  at.on('gone', ({ fileId }) => {
    drop((row) => row.fileId === fileId)
    if (doomed.value?.fileId === fileId) doomed.value = null
  })
  watch(asked, order.forget)
  const ask = (file) => {
    doomed.value = file
  }
  const remove = async () => {
    const { fileId, fileName } = doomed.value
    doomed.value = null
    const done = await order.give(() => deleteFile(at.env, fileId), 'deleting', { name: fileName })
    if (done) at.forget({ fileId, fileName, by: 'operator' })
    else if (order.problem.value?.code === 'FILE_NOT_FOUND') refresh()
  }
  return { doomed, ask, remove, problem: order.problem }
}

export const Files = {
  props: ['at', 'words', 'id'],
  setup({ at }) {
    const place = ref(null)
    const found = useAsked(at, fetchFiles, 'files', ANYTHING)
    const { asked, list, put, more, refresh } = found
    const categories = useCategories(at)
    const deletion = useDeletion(at, found)
    useFocus(place)
    return ({ words }) => html`<section ref=${place}>
      <h1 tabindex="-1">${words.say('files')}</h1>
      ${filters(at, asked, categories, put, words)}
      <${Problems} of=${[deletion.problem.value]} words=${words} />
      <ul class="files" aria-label=${words.say('files')}>${list.value.rows.map(
        (file) => html`<${Row} key=${file.fileId} file=${file} words=${words} onDelete=${deletion.ask}
          onFetch=${refresh} />`,
      )}</ul>
      <${ListEnd} list=${list.value} none="noFiles" words=${words} onMore=${more} />
      ${
        deletion.doomed.value &&
        html`<${Sure} asked=${question(deletion.doomed.value, words)} words=${words} onYes=${deletion.remove}
          onNo=${() => deletion.ask(null)} />`
      }
    </section>`
  },
}
