/** A step of a schema: the statement that makes a thing, and the one that takes it back. */
export interface Definition {
  /** What is made: a-z, 0-9 and _. */
  name: string
  up: string
  down: string
}

export const upsOf = (definitions: readonly Definition[]): string[] => definitions.map(({ up }) => up)
