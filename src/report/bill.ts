/** A plan's bill line by line, in words: what is on it, what stands beside it, and where each price is from. */
import type { ToldLine } from '../assess/cost/bill.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import { dollars } from './render/format.ts'

const texts: Record<string, string> = {
  servers: 'servers',
  storage: 'block storage',
  provisionedIo: 'provisioned I/O',
  backup: 'backup: snapshots, or copies of files',
  archive: 'log archive for the recovery point',
  archivedRows: 'rows archived in object storage',
  transfer: 'traffic between zones',
  shards: 'labour of shards',
  draws: 'what the draws add (median − middle)',
  region: 'a region without a list of its own',
  labour: 'labour of running it',
  committed1: 'all, servers for one year',
  committed3: 'all, servers for three years',
}

/** What is not on the bill says so. */
export const lineText = ({ name, billed }: ToldLine) =>
  `${texts[name] ?? name}${billed ? '' : name === 'labour' ? ', not included in the total' : ', in place of the total'}`

export const totalText = 'total'

/** Of what is billed the middle, which adds up; of what stands beside it the median. */
export const lineUsd = (line: ToldLine | undefined) => (line === undefined ? 0 : line.billed ? line.usdPerMonth.middle : line.usdPerMonth.p50)

/** The rows of the lines, with the one of the total below what is billed. */
export function withTotal(lines: readonly ToldLine[], rows: string[][], total: string[]): string[][] {
  const billed = lines.filter((line) => line.billed).length
  return [...rows.slice(0, billed), total, ...rows.slice(billed)]
}

/** Numbers of the sources in the order in which lines name them first, and their texts. */
export function sourcesOf(plans: readonly CandidatePlan[]): { of(line: ToldLine): string; texts: string[] } {
  const text = ({ from, date }: ToldLine) => (date === null ? from : `${from} (${date})`)
  const all = [...new Set(plans.flatMap((plan) => plan.fleet.now.lines.map(text)))]
  return { of: (line) => `[${all.indexOf(text(line)) + 1}]`, texts: all.map((each, at) => `[${at + 1}] ${each}`) }
}

/** All candidates side by side, now → at the horizon: lines with every number at its middle, what the draws add, and the median of the sum; the first row names the columns. */
export function billRows(planned: readonly { name: string; plan: CandidatePlan }[], months: number): string[][] {
  const sources = sourcesOf(planned.map(({ plan }) => plan))
  const lines = planned[0]?.plan.fleet.now.lines ?? []
  const rows = lines.map((line, at) => [
    lineText(line),
    ...planned.map(({ plan: { fleet } }) => `${dollars(lineUsd(fleet.now.lines[at]))} → ${dollars(lineUsd(fleet.horizon.lines[at]))}`),
    [...new Set(planned.map(({ plan }) => sources.of(plan.fleet.now.lines[at] as ToldLine)))].join(' '),
  ])
  const total = [totalText, ...planned.map(({ plan: { fleet } }) => `${dollars(fleet.now.total.p50)} → ${dollars(fleet.horizon.total.p50)}`), '']
  return [[`USD a month, now → month ${months}`, ...planned.map(({ name }) => name), 'price from'], ...withTotal(lines, rows, total)]
}
