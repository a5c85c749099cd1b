/** A number taken apart: its formula with the values in it, down to what was measured, stated, published or assumed. */
import { TrialError } from '../errors.ts'
import { type Figure, reachable } from './figure.ts'
import { simulate, spreadOf } from './simulate.ts'

const deepest = 4
const mostInputs = 12

/** @throws TrialError, exit code 2, where there is no such figure. */
export function explain(figures: readonly Figure[], path: string, seed: number): string {
  const all = reachable(figures)
  const found = all.find((figure) => figure.path === path) ?? all.find((figure) => figure.path === `${path}@0`)
  if (found === undefined) {
    const near = [...new Set(all.map((figure) => figure.path.replace(/@\d+$/, '')))].filter((each) =>
      each.startsWith(path.split('.').slice(0, 2).join('.')),
    )
    throw new TrialError('no-figure', `--explain ${path}: there is no such number`, {
      hint: `those near it: ${(near.length > 0 ? near : all.map((figure) => figure.path)).slice(0, 12).join(', ')}; @12 behind it is month 12`,
      exitCode: 2,
    })
  }
  const parts = reachable([found])
  const samples = simulate(parts, seed)
  const lines: string[] = []
  const seen = new Set<Figure>()
  const visit = (figure: Figure, depth: number) => {
    const indent = '  '.repeat(depth)
    const { p10, p50, p90 } = spreadOf(samples.get(figure) as Float64Array)
    const range = p10 === p90 ? '' : ` (${number(p10)} to ${number(p90)})`
    const unit = figure.unit === 'ratio' ? '' : ` ${figure.unit}`
    const value =
      figure.kind === 'derived' && figure.display !== undefined ? figure.display(middle(samples, figure)) : `${number(p50)}${unit}${range}`
    lines.push(`${indent}${figure.path} = ${value}  ${figure.provenance}${figure.kind === 'given' ? `: ${figure.source}` : ''}`)
    if (figure.kind === 'given' || seen.has(figure)) return
    seen.add(figure)
    const formula = figure.kind === 'sum' ? 'the sum of' : figure.formula
    lines.push(`${indent}  = ${formula}`)
    if (depth >= deepest) return
    const inputs = [...figure.inputs].sort((a, b) => (figure.kind === 'sum' ? middle(samples, b) - middle(samples, a) : 0))
    for (const input of inputs.slice(0, mostInputs)) visit(input, depth + 1)
    if (inputs.length > mostInputs) lines.push(`${indent}    and ${inputs.length - mostInputs} more`)
  }
  visit(found, 0)
  return lines.join('\n')
}

const middle = (samples: Map<Figure, Float64Array>, figure: Figure) => (samples.get(figure) as Float64Array)[0] as number

function number(value: number): string {
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  if (magnitude >= 1e15 || magnitude < 1e-4) return value.toExponential(2)
  return magnitude >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}
