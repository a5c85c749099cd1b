/** How the server ran one call of each read, in rows: what it looked at for what it found. */
import { isLargeSort, isThrownAway, largeScans } from '../assess/judge/fixes.ts'
import type { CandidateResult } from '../result/result.ts'
import type { Operation, Scenario } from '../scenario/scenario.ts'
import { count } from './render/format.ts'

type Explanation = CandidateResult['explanations'][number]

export const planHead = ['operation', 'rows found', 'rows looked at', 'for each found', 'stores read whole', 'rows sorted']

/** One row for each read that the server told numbers of. */
export function planRows({ explanations }: Pick<CandidateResult, 'explanations'>): string[][] {
  return explanations.flatMap(({ operation, read, scans, sortedRows }) =>
    read === null
      ? []
      : [
          [
            operation,
            count(read.returned),
            count(read.rows),
            read.returned === 0 ? '—' : perFound(read),
            scans.map(({ store, rows }) => `${store} (${count(rows)} rows)`).join(', ') || '—',
            sortedRows === null ? '—' : count(sortedRows),
          ],
        ],
  )
}

const perFound = ({ rows, returned }: NonNullable<Explanation['read']>) => String(Number((rows / returned).toPrecision(2)))

/** A read that finds rows: what adds up many must look at them. */
const finds = ({ kind }: Operation) => kind !== 'aggregate'

export function wholeReads({ explanations }: Pick<CandidateResult, 'explanations'>, scenario: Scenario): string[] {
  return of(explanations, scenario).flatMap((explanation) =>
    largeScans(explanation).map(
      ({ store, rows }) => `one ${explanation.operation} reads all ${count(rows)} rows of ${store}, and more as it grows: no index serves it`,
    ),
  )
}

export function thrownAway({ explanations }: Pick<CandidateResult, 'explanations'>, scenario: Scenario): string[] {
  return of(explanations, scenario).flatMap(({ operation, read, scans }) =>
    read === null || scans.length > 0 || !isThrownAway(read)
      ? []
      : [
          `one ${operation} looks at ${count(read.rows)} rows for ${count(read.returned)} that it finds: an index with more of its conditions would look at fewer`,
        ],
  )
}

export function sortsWithoutIndex({ explanations }: Pick<CandidateResult, 'explanations'>, scenario: Scenario): string[] {
  return of(explanations, scenario).flatMap(({ operation, sortedRows }) =>
    sortedRows === null || !isLargeSort(sortedRows)
      ? []
      : [`one ${operation} sorts ${count(sortedRows)} rows: an index in its order would find the first ones at once`],
  )
}

const of = (explanations: Explanation[], { operations }: Scenario) =>
  explanations.filter(({ operation }) => operations.some((each) => each.name === operation && finds(each)))

/** Whether the server told numbers of any call. */
export const arePlansTold = ({ explanations }: Pick<CandidateResult, 'explanations'>) => explanations.some(({ read }) => read !== null)
