/** A report as blocks, independent of how it is drawn. */
import type { Diagram } from '../diagrams/diagram.ts'

export interface Table {
  head: string[]
  rows: string[][]
  /** Columns that hold numbers, drawn to the right. */
  numeric?: number[]
}
export interface Chart {
  /** File name below charts/. */
  file: string
  /** States the finding. */
  title: string
  png: Buffer
  /** The same picture at any size, and in a fifth of the bytes: for the page, which holds all of them. */
  svg: string
  /** What to see, for those who do not see it. */
  alternative: string
  /** In units of the points, however many pixels a picture has. */
  width: number
  height: number
  /** What is drawn where: a page tells it of the point that a reader points at. */
  points: ChartPoint[]
}
export interface ChartPoint {
  x: number
  y: number
  text: string
}
type Level = 1 | 2 | 3 | 4
export type Block =
  | { kind: 'heading'; level: Level; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'callout'; tone: 'good' | 'bad' | 'note'; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'table'; caption?: string; table: Table }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'chart'; chart: Chart }
  | { kind: 'diagram'; diagram: Diagram }
  | { kind: 'details'; summary: string; blocks: Block[] }

/** Links to all headings of level 2. */
export interface Contents {
  kind: 'contents'
}
export type Document = (Block | Contents)[]

export const heading = (level: Level, text: string): Block => ({ kind: 'heading', level, text })
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text })
export const list = (items: string[]): Block => ({ kind: 'list', items })
export const table = (head: string[], rows: string[][], numeric: number[] = []): Block => ({ kind: 'table', table: { head, rows, numeric } })
export const code = (language: string, text: string): Block => ({ kind: 'code', language, text })
export const details = (summary: string, blocks: Block[]): Block => ({ kind: 'details', summary, blocks })

/** What a contents list names. */
export const chaptersOf = (document: Document): string[] =>
  document.flatMap((each) => (each.kind === 'heading' && each.level === 2 ? [each.text] : []))

/** Where a heading is found: the anchor that GitHub makes of it. */
export const anchorOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
