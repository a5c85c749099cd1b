/** Blocks as GitHub-flavoured Markdown; charts are files beside it. */
import { withoutControls } from '../../controls.ts'
import { mermaidOf } from '../diagrams/mermaid.ts'
import { anchorOf, type Block, chaptersOf, type Document, type Table } from './document.ts'

export function toMarkdown(document: Document): string {
  return `${document.map((block) => (block.kind === 'contents' ? contents(document) : render(block))).join('\n\n')}\n`
}

const contents = (document: Document) =>
  chaptersOf(document)
    .map((text) => `[${escaped(text)}](#${anchorOf(text)})`)
    .join(' · ')

function render(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${escaped(block.text)}`
    case 'paragraph':
      return escaped(block.text)
    case 'callout':
      return `> ${{ good: '✅', bad: '❌', note: 'ℹ️' }[block.tone]} ${escaped(block.text)}`
    case 'list':
      return block.items.map((item) => `- ${escaped(item)}`).join('\n')
    case 'table':
      return renderTable(block.table)
    case 'code': {
      // A fence longer than any run of backticks inside.
      const longest = Math.max(2, ...[...block.text.matchAll(/`+/g)].map((match) => match[0].length))
      const fence = '`'.repeat(longest + 1)
      return `${fence}${block.language}\n${withoutControls(block.text)}\n${fence}`
    }
    case 'chart':
      return `![${escaped(block.chart.alternative)}](charts/${block.chart.file})`
    case 'diagram':
      return `\`\`\`mermaid\n${withoutControls(mermaidOf(block.diagram))}\n\`\`\``
    case 'details':
      return `<details><summary>${escaped(block.summary)}</summary>\n\n${block.blocks.map(render).join('\n\n')}\n\n</details>`
  }
}

function renderTable({ head, rows, numeric = [] }: Table): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => escaped(cell)).join(' | ')} |`
  const rule = `|${head.map((_, at) => (numeric.includes(at) ? ' ---: ' : ' --- ')).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** Text stays text on one line: nothing in a name or message becomes markup, a list, a rule, a link or a mention. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>|#~&]/g, (character) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[character] ?? `\\${character}`)
    .replace(/^ ?([-+=:]|\d+(?=[.)]))/, (start) => (/\d/.test(start) ? start : `\\${start.trim()}`))
    .replace(/^( ?\d+)([.)])/, '$1\\$2')
    .replaceAll(/@(?=\w)/g, '@<!-- -->')
    .replaceAll(/\b(https?|ftp):\/\//g, '$1&#58;//')
}
