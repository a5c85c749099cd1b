/** The design document has one outline, whatever a run found: every section stands in its place, and nothing is said in two of them. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import type { Block, Document } from '../../../src/report/render/document.ts'
import { toHtml } from '../../../src/report/render/html.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { readResult } from '../../../src/result/result.ts'

const read = (name: string) => readResult(fileURLToPath(new URL(`../../golden/results/${name}.json`, import.meta.url)))
const undecided = (result = read('small-ring')) => makeDocument(result, assess(result), null, [])
function decided(): Document {
  const result = read('ecommerce')
  const assessment = assess(result)
  const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  return makeDocument(result, assessment, decision, [])
}

const titles = [
  'Decision',
  'Requirements',
  'Selection',
  'Data model',
  'Access patterns',
  'Caching',
  'Partitioning and sharding',
  'Replication',
  'Backup and recovery',
  'Capacity and cost',
  'Monitoring',
  'Migration plan',
  'Security',
  'Risks and anti-patterns',
  'Evidence',
].map((title, at) => `${at + 1} ${title}`)

/** Blocks of every section, by its heading. */
function sectionsOf(document: Document): Map<string, Document> {
  const found = new Map<string, Document>()
  let own: Document = []
  for (const block of document) {
    if (block.kind === 'heading' && block.level === 2) found.set(block.text, (own = []))
    else own.push(block)
  }
  return found
}

const inside = (blocks: Document): (Block | { kind: 'contents' })[] =>
  blocks.flatMap((block) => (block.kind === 'details' ? [block, ...inside(block.blocks)] : [block]))

describe.each([
  ['of a run that decided nothing', undecided()],
  ['of a run with a verdict', decided()],
])('the document %s', (_, document) => {
  const sections = sectionsOf(document)

  test('has fifteen sections in their order, and each says something', () => {
    expect([...sections.keys()]).toEqual(titles)
    for (const [title, blocks] of sections) {
      const [first] = blocks
      expect(first, title).toBeDefined()
      expect(first?.kind === 'paragraph' ? first.text : 'said', title).not.toBe('')
    }
  })

  test('says nothing in two places', () => {
    const said = inside(document).flatMap((block) => {
      if (block.kind === 'paragraph') return [block.text]
      if (block.kind === 'list') return block.items
      if (block.kind === 'heading' && block.level < 4) return [block.text]
      return block.kind === 'table' ? [JSON.stringify(block.table)] : []
    })
    expect(said.filter((text, at) => said.indexOf(text) !== at)).toEqual([])
  })

  test('has no empty list, table or fold', () => {
    const empty = inside(document).filter(
      (block) =>
        (block.kind === 'list' && block.items.length === 0) ||
        (block.kind === 'table' && block.table.rows.length === 0) ||
        (block.kind === 'details' && block.blocks.length === 0),
    )
    expect(empty).toEqual([])
  })

  test('has contents whose links all lead somewhere', () => {
    const html = toHtml(document, 'a title')
    const links = [...html.matchAll(/<a href="#([^"]+)">/g)].map(([, id]) => id)
    for (const [, id] of html.matchAll(/<a class="section" href="#([^"]+)">/g)) expect(html).toContain(`id="${id}"`)
    expect(links).toHaveLength(titles.length)
    for (const id of links) expect(html).toContain(`id="${id}"`)
    const markdown = toMarkdown(document)
    const anchors = [...markdown.matchAll(/^## (.*)$/gm)].map(([, text]) => (text as string).toLowerCase().replaceAll(' ', '-'))
    expect([...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, id]) => id)).toEqual(anchors)
  })
})

test('evidence comes last: trials, validity, promises, machine and how to do it again', () => {
  const last = toMarkdown(sectionsOf(undecided()).get(titles.at(-1) as string) ?? [])
  for (const heading of ['Right answers', 'The same promise', 'Validity of every trial', 'Environment', 'Do it again'])
    expect(last).toContain(`### ${heading}`)
})
