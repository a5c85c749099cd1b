import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bytes } from '../../../src/assess/figures/amount.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { code, heading, paragraph, table } from '../../../src/report/render/document.ts'
import { micros, microsRange } from '../../../src/report/render/format.ts'
import { toHtml } from '../../../src/report/render/html.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { readResult } from '../../../src/result/result.ts'

const hostile = '<script>alert(1)</script> | `x` [a](javascript:1) "\' \u202e'

describe('hostile text stays text', () => {
  const document = [heading(1, hostile), paragraph(hostile), table([hostile], [[hostile]]), code('sql', '```\n</pre><script>')]

  test('in HTML', () => {
    const html = toHtml(document, hostile)
    // The page has one script, which is ours and last, and its policy lets no other run.
    const [own, ours = ''] = html.split('<script>', 2)
    expect(own).not.toContain('<script')
    expect(ours).not.toContain('alert')
    expect(html.split('<script')).toHaveLength(2)
    expect(html).toContain("default-src 'none'")
    const hash = createHash('sha256')
      .update(ours.split('</script>')[0] as string)
      .digest('base64')
    expect(html).toContain(`script-src 'sha256-${hash}'`)
  })

  test('in Markdown', () => {
    const markdown = toMarkdown(document)
    expect(markdown.split('````')[0]).not.toContain('<script')
    expect(markdown).toContain('\\|')
    expect(markdown).toContain('````sql')
  })
})

test('numbers have units and three digits', () => {
  expect([micros(null), micros(12.4), micros(1234.5), micros(2.5e6)]).toEqual(['—', '12 µs', '1.23 ms', '2.50 s'])
  expect([microsRange(3430, 7840), microsRange(800, 7840)]).toEqual(['3.43–7.84 ms', '800 µs–7.84 ms'])
  expect([512, 5.5e6, 999_999, 2e12, 1.5e18].map(bytes)).toEqual(['512 B', '5.50 MB', '1.00 MB', '2.00 TB', '1,500 PB'])
})

test('a chart has text on a machine without fonts', () => {
  const script = fileURLToPath(new URL('./draw-title.ts', import.meta.url))
  const dark = Number(execFileSync(process.execPath, [script], { env: { PATH: process.env.PATH, DISABLE_SYSTEM_FONTS_LOAD: '1' }, encoding: 'utf8' }))
  expect(dark).toBeGreaterThan(300)
})

const small = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))

test('what a client-bound trial decides is told as it is judged: nothing, in either direction', () => {
  const report = toMarkdown(makeDocument(small, assess(small), null, []))
  expect(report).toContain('decides nothing for that operation, neither that its limit is met nor that it is missed')
  expect(report).not.toContain('what client-bound rounds meet is met')
})
