/** A diagram as an SVG: boxes in columns, what others point at to the left, lines from their edges. */
import type { Box, Diagram, Line } from './diagram.ts'

const width = 232
const rowHeight = 19
const head = 28
const gapX = 96
const gapY = 26
const edge = 8
const maxRows = 14

interface Place {
  x: number
  y: number
  height: number
  column: number
}

/** `escaped`: how text is written into a page. */
export function svgOf(diagram: Diagram, escaped: (text: string) => string): string {
  const { boxes, lines, alternative } = diagram
  const places = placed(diagram)
  const right = Math.max(0, ...places.map(({ x }) => x + width)) + gapX / 2
  const bottom = Math.max(0, ...places.map(({ y, height }) => y + height)) + edge
  const drawn = [...lines.map((line) => path(line, diagram, places, escaped)), ...boxes.map((box, at) => drawnBox(box, places[at] as Place, escaped))]
  return `<svg role="img" aria-label="${escaped(alternative)}" viewBox="0 0 ${right} ${bottom}" width="${right}" height="${bottom}" font-size="12">${drawn.join('')}</svg>`
}

/** A box stands right of all that it points at; what points at each other in a ring stands as if one line were missing. */
function columnsOf({ boxes, lines }: Diagram): number[] {
  const columns = boxes.map(() => 0)
  for (let round = 0; round < boxes.length; round++)
    for (const { from, to } of lines)
      if (from !== to) columns[from] = Math.min(boxes.length - 1, Math.max(columns[from] as number, (columns[to] as number) + 1))
  const used = [...new Set(columns)].sort((a, b) => a - b)
  return columns.map((column) => used.indexOf(column))
}

function placed(diagram: Diagram): Place[] {
  const columns = columnsOf(diagram)
  const next = new Map<number, number>()
  return diagram.boxes.map(({ rows }, at) => {
    const column = columns[at] as number
    const y = next.get(column) ?? edge
    const height = head + Math.min(rows.length, maxRows + 1) * rowHeight + (rows.length === 0 ? 0 : 6)
    next.set(column, y + height + gapY)
    return { x: edge + column * (width + gapX), y, height, column }
  })
}

function drawnBox({ title, rows }: Box, { x, y, height }: Place, escaped: (text: string) => string): string {
  const shown = rows.slice(0, maxRows)
  const text = (dx: number, line: number, said: string, more: string) =>
    `<text x="${x + dx}" y="${y + head + line * rowHeight + 14}"${more}>${escaped(said)}</text>`
  const lines = shown.flatMap(({ name, note, keys }, at) => [
    text(10, at, shortened(`${keys.length === 0 ? '' : `${keys.join(' ')} `}${name}`, 26), keys.includes('PK') ? ' font-weight="600"' : ''),
    text(width - 10, at, shortened(note, 9), ' text-anchor="end" opacity="0.65"'),
  ])
  const more = rows.length > shown.length ? [text(10, maxRows, `and ${rows.length - shown.length} more`, ' opacity="0.65"')] : []
  return `<g fill="currentColor"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" style="fill:var(--paper,#fff)" stroke="currentColor"/>${rows.length === 0 ? '' : `<path d="M${x} ${y + head}h${width}" stroke="currentColor"/>`}<text x="${x + 10}" y="${y + 19}" font-size="13" font-weight="700">${escaped(shortened(title, 28))}</text>${[...lines, ...more].join('')}</g>`
}

/** The whole name stands in the dictionary below. */
const shortened = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

/** From the row that names the other box, or from the middle of the head; the foot stands at the many. */
function path({ from, to, label, dashed }: Line, { kind, boxes }: Diagram, places: Place[], escaped: (text: string) => string): string {
  const [many, one] = [places[from] as Place, places[to] as Place]
  const row = boxes[from]?.rows.findIndex(({ name }) => name === label) ?? -1
  const y1 = many.y + (row < 0 || row >= maxRows ? head / 2 : head + row * rowHeight + 10)
  const y2 = one.y + head / 2
  const apart = many.column > one.column
  const [x1, x2] = apart ? [many.x, one.x + width] : [many.x + width, one.x + width]
  const bend = apart ? Math.max(40, (x1 - x2) / 2) : 40
  const [c1, c2] = apart ? [x1 - bend, x2 + bend] : [x1 + bend, x2 + bend]
  const foot = apart ? -10 : 10
  // A reference stands in its row already; between servers the line says what goes over it.
  const said =
    kind === 'servers' && apart
      ? `<text x="${x1 - 12}" y="${y1 + 14}" text-anchor="end" fill="currentColor" font-size="11">${escaped(label)}</text>`
      : ''
  const style = `fill="none" stroke="currentColor" stroke-width="1.3"${dashed ? ' stroke-dasharray="5 4"' : ''}`
  return `<g opacity="0.75"><title>${escaped(label)}</title>${said}<path d="M${x1 + foot} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2} ${y2}" ${style}/><path d="M${x1} ${y1 - 5}L${x1 + foot} ${y1}L${x1} ${y1 + 5}M${x1} ${y1}h${foot}M${x2 + 7} ${y2 - 5}v10" fill="none" stroke="currentColor" stroke-width="1.3"/></g>`
}
