/** A picture of boxes and lines, independent of how it is drawn: tables with their references, servers with who talks to whom. */

export interface BoxRow {
  name: string
  /** Its type, or what it does. */
  note: string
  /** Keys: of itself, of another box, of nobody else's value. */
  keys: ('PK' | 'FK' | 'UK')[]
}
export interface Box {
  title: string
  rows: BoxRow[]
}
export interface Line {
  /** Places of the boxes. `from` holds the many, `to` the one that they refer to, or that asks them. */
  from: number
  to: number
  label: string
  /** Nobody enforces it, or it repeats what the other box holds. */
  dashed: boolean
}
export interface Diagram {
  kind: 'entities' | 'servers'
  /** What to see, for those who do not see it. */
  alternative: string
  boxes: Box[]
  lines: Line[]
}
