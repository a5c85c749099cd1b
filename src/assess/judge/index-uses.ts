/** How often the server used an index, as far as it counts. */
import type { CandidateResult } from '../../result/result.ts'

type Store = Pick<CandidateResult['model']['stores'][number], 'name'>

/** As the server calls it; earlier versions of dbtrial named an index within its table. */
export const isNamed = (told: string, store: Store, name: string) => told === name || told === `${store.name}_${name}`

/** undefined: the server does not count them. */
export const usesOf = (all: CandidateResult['indexUse'], store: Store, name: string): number | undefined =>
  all.find((each) => each.table === store.name && isNamed(each.index, store, name))?.uses
