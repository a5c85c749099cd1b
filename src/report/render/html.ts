/** Blocks as one self-contained HTML page: style, charts and its one script inside, nothing fetched. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { svgOf } from '../diagrams/svg.ts'
import { anchorOf, type Block, type Chart, chaptersOf, type Document, type Table } from './document.ts'

const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --line: #d8dee4; --band: #f6f8fa; --quiet: #57606a; --limit: #6e2c00; --good: #1a7f5a; --bad: #b3401b; --note: #0969a8; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --line: #30363d; --band: #161b22; --quiet: #9aa4af; --limit: #f0a070; --good: #3fb68b; --bad: #f0835c; --note: #79b8ff; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #1b1f24; --line: #d8dee4; --band: #f6f8fa; --quiet: #57606a; --limit: #6e2c00; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 96px; }
h1 { font-size: 30px; line-height: 1.25; margin: 0 0 8px; } h2 { font-size: 22px; margin: 48px 0 12px; padding-top: 16px; border-top: 1px solid var(--line); } h3 { font-size: 17px; margin: 28px 0 8px; } h4 { font-size: 15px; margin: 20px 0 8px; }
nav { font-size: 14px; } nav ol { list-style: none; margin: 16px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 18px; } nav a { color: var(--note); text-decoration: none; } nav a:hover, nav a:focus { text-decoration: underline; }
@media (min-width: 1280px) { body { padding-left: 232px; } nav { position: fixed; inset: 0 auto 0 0; width: 232px; overflow-y: auto; padding: 32px 20px; background: var(--band); border-right: 1px solid var(--line); } nav ol { display: block; } nav li { margin: 7px 0; } }
p { margin: 0 0 12px; max-width: 78ch; } a.section { color: inherit; text-decoration-style: dotted; } li { margin: 2px 0; max-width: 78ch; }
.scroll { overflow-x: auto; margin: 8px 0 20px; } table { border-collapse: collapse; font-size: 14px; min-width: 60%; }
th, td { text-align: left; padding: 6px 12px; border-bottom: 1px solid var(--line); vertical-align: top; } th { background: var(--band); font-weight: 600; }
table:not(.wide) :is(th, td):first-child:not(.number) { min-width: 8em; } table:not(.wide) th { min-width: 5em; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } table.wide { font-size: 13px; } .wide th, .wide td { padding: 5px 7px; }
.callout { border-left: 4px solid var(--note); background: var(--band); padding: 10px 16px; margin: 12px 0; max-width: 82ch; } .callout.good { border-color: var(--good); } .callout.bad { border-color: var(--bad); }
pre { background: var(--band); border: 1px solid var(--line); border-radius: 6px; padding: 12px; font: 13px/1.45 ui-monospace, 'DejaVu Sans Mono', monospace; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 20px 0; } figure.chart { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; } figure.chart svg { display: block; width: 100%; min-width: 640px; height: auto; }
.chart [fill=white] { fill: var(--paper); } .chart :is([fill='#1B1F24' i], [fill=black]) { fill: var(--ink); } .chart [fill='#57606A' i] { fill: var(--quiet); } .chart [fill='#6E2C00' i] { fill: var(--limit); }
.chart [stroke=black] { stroke: var(--ink); } .chart [stroke='#E6E9ED' i] { stroke: var(--line); } .chart [stroke='#6E2C00' i] { stroke: var(--limit); }
.points circle { fill: transparent; } .points circle:hover { stroke: var(--ink); stroke-width: 3; }
details { margin: 8px 0; border: 1px solid var(--line); border-radius: 6px; padding: 0 14px; } summary { cursor: pointer; padding: 9px 0; font-weight: 600; }
th button { all: unset; cursor: pointer; } th button:is(:hover, :focus-visible)::after { content: ' ↕'; opacity: 0.5; } th[aria-sort=ascending] button::after { content: ' ↑'; opacity: 1; } th[aria-sort=descending] button::after { content: ' ↓'; opacity: 1; } :focus-visible { outline: 2px solid var(--note); outline-offset: 2px; }
fieldset { border: 0; margin: 16px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 14px; } legend { padding: 0; font-weight: 600; } [hidden] { display: none !important; }
@media screen and (max-width: 600px) { table { min-width: 100%; } .cards, .cards :is(tbody, tr) { display: block; } .cards thead { display: none; } .cards tr { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 10px; } .cards td, .cards td.number { display: block; text-align: left; } .cards td:not([data-of=''])::before { content: attr(data-of) ': '; color: var(--quiet); font-weight: normal; } .cards td:first-child { background: var(--band); font-weight: 600; } .cards td:last-child { border-bottom: 0; } main { padding: 20px 14px 64px; } h1 { font-size: 24px; } h2 { font-size: 20px; } th, td { padding: 5px 8px; } }
@media print { details { border: 0; } details::details-content { content-visibility: visible; } figure, tr { break-inside: avoid; } main, body { padding: 0; } nav { display: none; } }
`

const script = readFileSync(new URL('./page.js', import.meta.url), 'utf8')
/** No other script runs, whatever a scenario says. */
const scriptHash = createHash('sha256').update(script).digest('base64')

/** `candidates`: those that the reader may leave out. */
export function toHtml(document: Document, title: string, candidates: readonly string[] = []): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="candidates" content="${escaped(candidates.join(' '))}">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body><main>
${document.map((block) => (block.kind === 'contents' ? contents(document) : render(block))).join('\n')}
</main>
<script>${script}</script>
</body>
</html>
`
}

/** Beside the page where there is room, else a few lines below the first screen. */
function contents(document: Document): string {
  const links = chaptersOf(document).map((text) => `<li><a href="#${anchorOf(text)}">${escaped(text)}</a></li>`)
  return `<nav aria-label="Contents"><ol>${links.join('')}</ol></nav>`
}

function render(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return block.level === 2 ? chapter(block.text) : `<h${block.level}>${escaped(block.text)}</h${block.level}>`
    case 'paragraph':
      return `<p>${prose(block.text)}</p>`
    case 'callout':
      return `<p class="callout ${block.tone}">${prose(block.text)}</p>`
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${prose(item)}</li>`).join('')}</ul>`
    case 'table':
      return renderTable(block.table)
    case 'code':
      return `<pre>${escaped(block.text)}</pre>`
    case 'chart':
      return figureOf(block.chart)
    case 'diagram':
      return `<figure class="scroll" role="region" aria-label="Diagram" tabindex="0">${svgOf(block.diagram, escaped)}</figure>`
    case 'details':
      return `<details><summary>${escaped(block.summary)}</summary>${block.blocks.map(render).join('\n')}</details>`
  }
}

/** Found by its name, and by its number, which is how texts speak of it. */
function chapter(text: string): string {
  const [number = ''] = /^\d+/.exec(text) ?? []
  return `<h2 id="${anchorOf(text)}">${number === '' ? '' : `<span id="section-${number}"></span>`}${escaped(text)}</h2>`
}

/** Each point tells what it is where a reader points at it; the alternative text has the numbers for those who cannot. */
function figureOf({ file, alternative, svg, points }: Chart): string {
  const circles = points.map(({ x, y, text }) => `<circle cx="${Math.round(x)}" cy="${Math.round(y)}" r="9"><title>${escaped(text)}</title></circle>`)
  const picture = svg
    .replace('<svg ', () => `<svg role="img" aria-label="${escaped(alternative)}" `)
    // What is clipped names its frame, of which there is one in each picture of the page.
    .replaceAll(/(?<=\bid="|url\(#)cl_(?=\d)/g, () => `${file.replace(/\.png$/, '')}-`)
    .replace(/<\/svg>$/, () => `<g class="points">${circles.join('')}</g></svg>`)
  return `<figure class="chart" role="region" aria-label="Chart" tabindex="0">${picture}</figure>`
}

/** A table of so many columns has no room to spare. */
const manyColumns = 7

/** So many fit beside each other on a telephone; of more each row becomes a card, its cells below one another under the names of their columns. */
const fewColumns = 2
const classOf = (columns: number) => (columns <= fewColumns ? '' : ` class="${columns >= manyColumns ? 'wide ' : ''}cards"`)

/** Columns give way by wrapping their words; where that is not enough the table scrolls in a box of its own, by mouse, touch or keyboard. */
function renderTable({ head, rows, numeric = [] }: Table): string {
  const cells = (of: string[], tag: 'th' | 'td') =>
    of
      .map(
        (cell, at) =>
          `<${tag}${numeric.includes(at) ? ' class="number"' : ''}${tag === 'td' && head.length > fewColumns ? ` data-of="${escaped(head[at] ?? '')}"` : ''}>${tag === 'th' ? breakable(spaced(escaped(cell))) : breakable(prose(cell))}</${tag}>`,
      )
      .join('')
  const name = escaped(`Table: ${head.filter((each) => each !== '').join(', ')}`)
  return `<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table${classOf(head.length)}><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string)

/** A long name may end a line where its words do. */
const breakable = (cell: string) => cell.replaceAll(/[\w.]{16,}/g, (name) => name.replaceAll(/[_.](?=\w)/g, '$&<wbr>'))

/** A number keeps its unit, and a name its mark. */
const spaced = (text: string) => text.replaceAll(/(?<=\d) (?=(?:[kMGT]?B|[µm]?s|%)(?![a-z]))|(?<=\bp\d{2,3}) (?=\d)| (?=†)/g, '\u00a0')

/** A text that speaks of a section leads there. */
const prose = (text: string) =>
  spaced(escaped(text)).replaceAll(/(?<=\bsections? (?:\d{1,2} and )?)\d{1,2}\b/g, '<a class="section" href="#section-$&">$&</a>')
