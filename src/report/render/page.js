// What a reader may do with the page beside reading it: leave candidates out, and sort tables. Without it nothing is missing.
;(() => {
  const scales = { µs: 1e-6, ms: 1e-3, s: 1, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

  /** The first number of a cell in its basic unit; null: it has none. */
  function amountOf(text) {
    const found = /(-?[\d,]*\.?\d+)\s*([µm]?s|[kMGT]?B)?(?![a-z])/.exec(text)
    return found === null ? null : Number(found[1].replaceAll(',', '')) * (scales[found[2]] ?? 1)
  }

  function compare(a, b) {
    const [x, y] = [amountOf(a), amountOf(b)]
    if (x !== null && y !== null) return x - y
    return x === null && y === null ? a.localeCompare(b) : x === null ? 1 : -1
  }

  const cellText = (row, at) => row.cells[at]?.textContent.trim() ?? ''

  function sortBy(table, at, descending) {
    const body = table.tBodies[0]
    const rows = [...body.rows].sort((a, b) => compare(cellText(a, at), cellText(b, at)) * (descending ? -1 : 1))
    body.append(...rows)
    for (const [index, head] of [...table.tHead.rows[0].cells].entries())
      if (index === at) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
  }

  function makeSortable() {
    for (const table of document.querySelectorAll('table')) {
      if (table.tBodies[0].rows.length < 3) continue
      for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
        if (head.textContent.trim() === '') continue
        const button = document.createElement('button')
        button.type = 'button'
        button.append(...head.childNodes)
        button.addEventListener('click', () => sortBy(table, at, head.getAttribute('aria-sort') === 'ascending'))
        head.append(button)
      }
    }
  }

  /** Whether a text is of a candidate: its name alone, or in front of what is said of it. */
  const isOf = (name, text) => text.replace(/[†‡*]+/g, '').split(/[\s:,(]/)[0] === name

  /** Rows and columns of a table that are of one candidate. */
  function cellsOf(name, table) {
    const columns = [...table.tHead.rows[0].cells].flatMap((head, at) => (at > 0 && isOf(name, head.textContent.trim()) ? [at] : []))
    return [
      ...columns.flatMap((at) => [...table.rows].flatMap((row) => row.cells[at] ?? [])),
      ...[...table.tBodies[0].rows].filter((row) => isOf(name, cellText(row, 0))),
    ]
  }

  /** A heading with all that stands under it. */
  function under(heading) {
    const parts = [heading]
    for (let each = heading.nextElementSibling; each !== null && !/^H[1-4]$/.test(each.tagName); each = each.nextElementSibling) parts.push(each)
    return parts
  }

  /** A sentence that ends in a colon with the table, or the list, that it announces. */
  const announced = (sentence) => (sentence.textContent.trim().endsWith(':') ? [sentence, sentence.nextElementSibling ?? sentence] : [])

  /** All elements that are of one candidate: rows, columns, folded parts, and what its headings and sentences announce. */
  function partsOf(name) {
    const those = (selector, text = (each) => each.textContent) => [...document.querySelectorAll(selector)].filter((each) => isOf(name, text(each)))
    return [
      ...[...document.querySelectorAll('table')].flatMap((table) => cellsOf(name, table)),
      ...those('details', (each) => each.firstElementChild.textContent),
      ...those('h3, h4').flatMap(under),
      ...those('p').flatMap(announced),
    ]
  }

  /** A box for each candidate, in the contents. */
  function makeFilter() {
    const names = (document.querySelector('meta[name="candidates"]')?.content ?? '').split(' ').filter((name) => name !== '')
    const contents = document.querySelector('nav')
    if (contents === null || names.length < 2) return
    const filter = document.createElement('fieldset')
    const legend = document.createElement('legend')
    legend.textContent = 'Candidates'
    filter.append(legend, ...names.map(boxOf))
    contents.append(filter)
  }

  function boxOf(name) {
    const parts = partsOf(name)
    const label = document.createElement('label')
    const box = document.createElement('input')
    box.type = 'checkbox'
    box.checked = true
    box.addEventListener('change', () => {
      for (const part of parts) part.hidden = !box.checked
    })
    label.append(box, ` ${name}`)
    return label
  }

  makeSortable()
  makeFilter()
})()
