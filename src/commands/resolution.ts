/** `dbtrial resolution SCENARIO`: one engine enters twice under two names; how far do the two differ? */
import { join } from 'node:path'
import { assess } from '../assess/assess.ts'
import { knownFrom, type Resolution, resolutionOf } from '../assess/resolution.ts'
import { engineNamed } from '../engines/registry.ts'
import { TrialError } from '../errors.ts'
import type { ProvisionKind } from '../provision/choose.ts'
import { effortOf } from '../scenario/plan.ts'
import type { Effort, Scenario } from '../scenario/scenario.ts'
import { coloured } from '../terminal/style.ts'
import { columns } from '../terminal/tables.ts'
import { decideIfCompared } from './assess.ts'
import { end } from './ending.ts'
import { keep } from './known-resolution.ts'
import { print } from './output.ts'
import { measure, signalCode } from './run.ts'
import { prepareScenario } from './scenario.ts'

export interface ResolutionOptions {
  engine?: string
  effort?: Effort
  provision: ProvisionKind
  seed?: string
  out: string
  data?: string
  json?: boolean
  quiet?: boolean
}

export async function resolution(name: string, options: ResolutionOptions): Promise<void> {
  const scenario = twice(
    prepareScenario(name, {
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.engine === undefined ? {} : { candidates: options.engine }),
    }),
  )
  if (effortOf(scenario.bench, options.effort) === 'smoke')
    throw new TrialError('nothing-compared', 'a smoke run compares nothing', { hint: 'leave --effort out, or ask for quick', exitCode: 2 })
  const { finished, signal } = await measure(scenario, { ...options, client: 'wire', endpoint: [] })
  const { result, directory } = finished
  if (signal !== undefined) return end({ code: signalCode(signal), reason: `stopped by ${signal}` })
  const failed = result.candidates.find((each) => each.failure !== null)
  if (failed !== undefined) return end({ code: 4, reason: `${failed.name}: ${failed.failure}` })
  const assessment = assess(result)
  const found = resolutionOf(result, assessment, decideIfCompared(result, assessment)?.decision ?? null)
  if (found.rows.every(({ ratio }) => ratio === null))
    return end({
      code: 4,
      reason: `no number of both is known, so nothing was learnt of this machine; its trials are in ${join(directory, 'result.json')}`,
    })
  const file = keep(options.out, knownFrom(found, result.candidates))
  print(options.json ? JSON.stringify(found) : coloured(`${resolutionText(found)}\n\n${join(directory, 'result.json')}\n${file}`))
}

/** The first candidate, under two names. */
function twice(scenario: Scenario): Scenario {
  const [first] = scenario.candidates
  if (first === undefined) throw new TrialError('no-candidate', `${scenario.name} has no candidate`, { hint: 'name one with --engine', exitCode: 2 })
  const { engine } = first
  return { ...scenario, candidates: ['a', 'b'].map((which) => ({ ...first, engine: engineNamed(engine).name, name: `${engine}-${which}` })) }
}

export function resolutionText({ engine, rows, eliminated }: Resolution): string {
  const shown = (value: number | null) => (value === null ? '—' : Number(value.toPrecision(3)).toLocaleString('en'))
  const different = rows.filter(({ verdict }) => verdict === 'different').length
  return [
    `${engine} twice: ${different === 0 ? 'nothing is called different' : `${different} of ${rows.length} numbers are called different`}${eliminated.length > 0 ? `; ${eliminated.join(', ')} is out` : ''}.`,
    columns(
      [['number', 'a', 'b', 'b ÷ a', ''], ...rows.map((each) => [each.number, shown(each.a), shown(each.b), shown(each.ratio), each.verdict])],
      1,
    ),
    'From now on runs on this machine call nothing of this engine different that differs less than that.',
  ].join('\n\n')
}
