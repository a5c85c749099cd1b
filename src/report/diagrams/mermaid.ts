/** A diagram in Mermaid's language, which GitHub draws. Foreign text stands in quotes alone. */
import type { BoxRow, Diagram, Line } from './diagram.ts'

export const mermaidOf = (diagram: Diagram): string => (diagram.kind === 'entities' ? entities(diagram) : servers(diagram))

function entities({ boxes, lines }: Diagram): string {
  const shown = boxes.flatMap(({ title, rows }, at) => [`  b${at}["${quoted(title)}"] {`, ...rows.map(attribute), '  }'])
  const related = lines.map(({ from, to, label, dashed }) => `  b${to} ||${dashed ? '..' : '--'}o{ b${from} : "${quoted(label)}"`)
  return ['erDiagram', ...shown, ...related].join('\n')
}

/** A name of this language has no dots: the real one stands beside it. */
function attribute({ name, note, keys }: BoxRow): string {
  const plain = `${/^[A-Za-z]/.test(name) ? '' : 'f_'}${name.replaceAll(/\W/g, '_')}`
  const comment = plain === name ? '' : ` "${quoted(name)}"`
  return `    ${note.replaceAll(/\W/g, '_')} ${plain}${keys.length === 0 ? '' : ` ${keys.join(', ')}`}${comment}`
}

function servers({ boxes, lines }: Diagram): string {
  const shown = boxes.map(({ title, rows }, at) => `  b${at}["${[title, ...rows.map(({ name }) => name)].map(quoted).join('<br>')}"]`)
  const arrow = ({ label, dashed }: Line) => `${dashed ? '-.' : '--'} "${quoted(label)}" ${dashed ? '.->' : '-->'}`
  return ['flowchart LR', ...shown, ...lines.map((line) => `  b${line.to} ${arrow(line)} b${line.from}`)].join('\n')
}

const quoted = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll(/["\\#`<]/g, "'")
