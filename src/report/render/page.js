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

  /** Whether a text is of a candidate: its name alone, or in front of what is said of it. */
  const isOf = (name, text) => text.replace(/[†‡*]+/g, '').split(/[\s:,(]/)[0] === name

  /** All elements that are of one candidate: rows, columns, folded parts, and what follows its headings. */
  function partsOf(name) {
    const parts = []
    for (const table of document.querySelectorAll('table')) {
      const heads = [...table.tHead.rows[0].cells]
      for (const [at, head] of heads.entries())
        if (at > 0 && isOf(name, head.textContent.trim())) parts.push(...[...table.rows].flatMap((row) => row.cells[at] ?? []))
      parts.push(...[...table.tBodies[0].rows].filter((row) => isOf(name, cellText(row, 0))))
    }
    for (const each of document.querySelectorAll('details')) if (isOf(name, each.firstElementChild.textContent)) parts.push(each)
    for (const heading of document.querySelectorAll('h3, h4')) {
      if (!isOf(name, heading.textContent)) continue
      for (let each = heading; each !== null && (each === heading || !/^H[1-4]$/.test(each.tagName)); each = each.nextElementSibling) parts.push(each)
    }
    return parts
  }

  const names = (document.querySelector('meta[name="candidates"]')?.content ?? '').split(' ').filter((name) => name !== '')
  const contents = document.querySelector('nav')
  if (contents === null || names.length < 2) return
  const filter = document.createElement('fieldset')
  const legend = document.createElement('legend')
  legend.textContent = 'Candidates'
  filter.append(legend)
  for (const name of names) {
    const parts = partsOf(name)
    const label = document.createElement('label')
    const box = document.createElement('input')
    box.type = 'checkbox'
    box.checked = true
    box.addEventListener('change', () => {
      for (const part of parts) part.hidden = !box.checked
    })
    label.append(box, ` ${name}`)
    filter.append(label)
  }
  contents.append(filter)
})()
