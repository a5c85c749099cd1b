/** A number taken apart: what its fleet is and why, in five lines; then its formula with the values in it, down to what was measured, stated, published or assumed. */
import { TrialError } from '../../errors.ts'
import { managedFigures } from '../cost/managed.ts'
import type { Catalogue } from '../cost/prices.ts'
import type { Demand } from '../demand/demand.ts'
import type { Complete } from '../fleet/candidate-plan.ts'
import { figuresOfMonth } from '../fleet/candidate-plan.ts'
import { explainFleet } from '../fleet/explain-fleet.ts'
import { waterfallLines, waterfallOf } from '../fleet/waterfall.ts'
import { amount } from './amount.ts'
import { pricedOf } from './drawn.ts'
import { type Figure, reachable } from './figure.ts'
import { middleOf, simulate, spreadOf } from './simulate.ts'

const deepest = 4
const maxInputs = 12
const mostNear = 12

/** What can be explained: the figures that were drawn, and those of every month of the plans. */
export interface Explainable {
  figures: readonly Figure[]
  plans: readonly Complete[]
  /** Candidates that have no plan, and why. */
  unplanned: readonly { name: string; reason: string }[]
  catalogues: readonly Catalogue[]
  demand: Demand
  /** Of the horizon. */
  months: number
  seed: number
}

/** `path`: of a figure, `@12` behind it for month 12; or the name of a candidate: its fleet, or why it has none. @throws TrialError, exit code 2, where there is no such number. */
export function explain(all: Explainable, path: string): string {
  const { name, month } = parted(path, all)
  const plan = all.plans.find(({ candidate }) => candidate.name === name)
  const found = find(all, plan === undefined ? name : `cost.${name}.total`, month)
  if (found === undefined) {
    const without = all.unplanned.find((each) => each.name === name || each.name === name.split('.')[1])
    if (without !== undefined) return `${without.name} has no plan: ${without.reason}.`
    throw unknown(all, path)
  }
  const about = all.plans.find(({ candidate }) => ['capacity', 'cost', 'plan'].some((part) => found.path.startsWith(`${part}.${candidate.name}.`)))
  const planned = about?.cost.total(monthOf(found) ?? 0)
  const lines = linesOf(found)
  const wanted = new Set([...lines.flatMap((line) => ('figure' in line ? [line.figure] : [])), ...(planned === undefined ? [] : [planned])])
  const samples = simulate([...wanted], all.seed)
  const tree = treeOf(lines, samples)
  if (about === undefined || planned === undefined) return tree
  const at = monthOf(found) ?? 0
  const fleet = explainFleet(about, at, pricedOf(samples.get(planned) as Float64Array), all.seed)
  const waterfall = waterfallLines(waterfallOf(about, all.demand, at))
  return [fleet.join('\n'), waterfall.join('\n'), tree].join('\n\n')
}

const monthOf = ({ path }: Figure) => {
  const [, at] = /@(\d+)$/.exec(path) ?? []
  return at === undefined ? undefined : Number(at)
}

function parted(path: string, { months }: Explainable): { name: string; month: number | undefined } {
  const [, name = path, at] = /^(.*)@(\d{1,6})$/.exec(path) ?? []
  const month = at === undefined ? undefined : Number(at)
  if (month !== undefined && month > months)
    throw new TrialError('no-figure', `--explain ${path}: the plan ends with month ${months}`, {
      hint: `ask for an earlier month, or plan further with --horizon ${Math.ceil(month / 12)}y`,
      exitCode: 2,
    })
  return { name, month }
}

/** Without a month: of what has one, that of now. */
function find({ figures, plans, catalogues }: Explainable, name: string, month: number | undefined): Figure | undefined {
  const paths = month === undefined ? [name, `${name}@0`] : [`${name}@${month}`]
  const within = (some: readonly Figure[]) =>
    paths.map((path) => reachable(some).find((figure) => figure.path === path)).find((each) => each !== undefined)
  return within(figures) ?? within(plans.flatMap((plan) => [...figuresOfMonth(plan, month ?? 0), ...managedFigures(plan, catalogues, month ?? 0)]))
}

function unknown({ figures, plans, catalogues }: Explainable, path: string): TrialError {
  const names = [
    ...new Set(
      reachable([...figures, ...plans.flatMap((plan) => [...figuresOfMonth(plan, 0), ...managedFigures(plan, catalogues, 0)])]).map((figure) =>
        figure.path.replace(/@\d+$/, ''),
      ),
    ),
  ]
  const near = names.filter((each) => each.startsWith(path.split('.').slice(0, 2).join('.')))
  const shown = [...plans.map(({ candidate }) => candidate.name), ...names]
  return new TrialError('no-figure', `--explain ${path}: there is no such number`, {
    hint: `those near it: ${(near.length > 0 ? near : shown).slice(0, mostNear).join(', ')}; @12 behind it is month 12`,
    exitCode: 2,
  })
}

/** A figure, or how many more there are, so deep in the tree. */
type Line = { figure: Figure; depth: number; again: boolean } | { more: number; depth: number }

function linesOf(found: Figure): Line[] {
  const lines: Line[] = []
  const seen = new Set<Figure>()
  const visit = (figure: Figure, depth: number) => {
    const again = seen.has(figure)
    lines.push({ figure, depth, again })
    if (figure.kind === 'given' || again) return
    seen.add(figure)
    if (depth >= deepest) return
    const inputs = figure.kind === 'sum' ? [...figure.inputs].sort((a, b) => middleOf(b) - middleOf(a)) : figure.inputs
    for (const input of inputs.slice(0, maxInputs)) visit(input, depth + 1)
    if (inputs.length > maxInputs) lines.push({ more: inputs.length - maxInputs, depth })
  }
  visit(found, 0)
  return lines
}

function treeOf(lines: Line[], samples: Map<Figure, Float64Array>): string {
  return lines
    .flatMap((line) => {
      const indent = '  '.repeat(line.depth)
      if ('more' in line) return [`${indent}    and ${line.more} more`]
      const { figure, again } = line
      const source = figure.kind === 'given' ? `: ${figure.source}` : ''
      const formula = figure.kind === 'given' || again ? [] : [`${indent}  = ${figure.kind === 'sum' ? 'the sum of' : figure.formula}`]
      return [`${indent}${figure.path} = ${textOf(figure, samples.get(figure) as Float64Array)}  ${figure.provenance}${source}`, ...formula]
    })
    .join('\n')
}

/** Its median, with p10 and p90. */
function textOf(figure: Figure, drawn: Float64Array): string {
  if (figure.kind === 'derived' && figure.display !== undefined) return figure.display(drawn[0] as number)
  const { p10, p50, p90 } = spreadOf(drawn)
  return `${amount(p50, figure.unit)}${p10 === p90 ? '' : ` (${amount(p10, figure.unit)} to ${amount(p90, figure.unit)})`}`
}
