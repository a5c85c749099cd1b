/** No table of the page is cut: its cells may wrap, and what is still too wide scrolls in a box of its own. */
import { expect, test } from 'vitest'
import { heading, table } from '../../../src/report/render/document.ts'
import { toHtml } from '../../../src/report/render/html.ts'

const page = (...cells: string[]) => toHtml([heading(2, '1 A table'), table(['name', 'more'], [cells])], 'a page')

test('a table scrolls in a box that the keyboard reaches', () => {
  expect(page('a', 'b')).toContain('<div class="scroll" role="region" aria-label="Table: name, more" tabindex="0"><table>')
})

test('a table of many columns takes less room for each', () => {
  const many = Array.from({ length: 9 }, (_, at) => `c${at}`)
  expect(toHtml([table(many, [many])], 'a page')).toContain('<table class="wide cards">')
})

test('a long name may be broken between its words, and is not changed by it', () => {
  expect(page('order_customer_id_created_at_id', 'read_session')).toContain(
    '<td>order_<wbr>customer_<wbr>id_<wbr>created_<wbr>at_<wbr>id</td><td>read_session</td>',
  )
})

test('a number and its unit stay together', () => {
  expect(page('24.6 ms (74.3 %)', '381 GB each')).toContain('<td>24.6\u00a0ms (74.3\u00a0%)</td><td>381\u00a0GB each</td>')
  expect(page('12 servers', '9 seconds')).toContain('<td>12 servers</td><td>9 seconds</td>')
})

test('what is escaped stays escaped', () => {
  expect(page('<b>a_very_long_name_indeed</b>', '&')).toContain('&lt;b&gt;a_<wbr>very_<wbr>long_<wbr>name_<wbr>indeed&lt;/b&gt;')
})
