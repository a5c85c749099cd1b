/** What loading took, and what lies on the disk after it. */
import { bytes } from '../assess/figures/amount.ts'
import { markedName } from '../assess/judge/cautions.ts'
import type { Result } from '../result/result.ts'
import { type Block, table } from './render/document.ts'
import { count, seconds } from './render/format.ts'

export function storageTable(result: Result): Block {
  const total = (parts: { bytes: number }[]) => parts.reduce((sum, part) => sum + part.bytes, 0)
  const rows = result.candidates.flatMap((candidate) => {
    const at = candidate.storage.at.at(-1)
    if (at === undefined || candidate.load === null) return []
    const { load, storage } = candidate
    return [
      [
        markedName(candidate),
        count(load.rows),
        seconds(load.seconds),
        `${count(load.rows / load.seconds)}/s`,
        bytes(total(at.tables)),
        at.indexes.length === 0 ? '—' : bytes(total(at.indexes)),
        storage.bytesPerRow === null ? '—' : `${Math.round(storage.bytesPerRow)} B`,
      ],
    ]
  })
  return table(['candidate', 'rows', 'load time', 'load speed', 'tables', 'indexes', 'bytes per row, indexes included'], rows, [1, 2, 3, 4, 5, 6])
}
