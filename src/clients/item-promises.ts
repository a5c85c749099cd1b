/** What products that find items by their keys alone promise alike, as their facts tell it. */
import type { Parity } from '../engines/engine.ts'

export const itemPromises: Parity[] = [
  {
    what: 'isolation',
    asked: 'atomic writes',
    set: 'one item per write; its version is compared where some of it is kept',
    effective: 'no item is seen half written, and none is written over unread',
    ok: true,
  },
  { what: 'uniqueness', asked: 'unique fields', set: 'none', effective: 'what writes a unique field is declined', ok: true },
  { what: 'referential integrity', asked: 'references point at rows', set: 'none', effective: 'not enforced by this engine', ok: true },
]
