/** A replay in virtual time against a server that is the reference engine, or one that loses things. */
import { ServerError } from '../../../src/clients/server-error.ts'
import { type Dataset, makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { fixedParameters, type ParamSource, parametersOf } from '../../../src/data/parameters.ts'
import { type Answer, canonical, type Value } from '../../../src/data/value.ts'
import type { Lane } from '../../../src/engines/engine.ts'
import { allOperations } from '../../../src/families/derive.ts'
import type { WriteLog } from '../../../src/measure/recorder.ts'
import { Executor } from '../../../src/replay/executor.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import type { Durability, Operation, Scenario } from '../../../src/scenario/scenario.ts'
import { checkInvariants, type InvariantResult, takeTotals } from '../../../src/verify/invariants.ts'
import { Reference } from '../../../src/verify/reference.ts'
import { VirtualClock } from '../replay/virtual-clock.ts'

export interface Replay {
  seconds?: number
  slots?: number
  durability?: Durability
  /** What becomes of a call of the named operation, by its number. `instead`: the first steps of it are done, or it is without its guard, and is said to be done. */
  fault?: { operation: string; steps: number; of: (call: number) => 'done' | 'instead' | 'failed though done' | 'failed' | 'lost' }
  deathsNs?: number[]
  /** What the verification did before, on the server and on the reference. */
  beforehand?: (dataset: Dataset, perform: (operation: string, values: Value[]) => void) => void
  /** What reading rows back says. */
  readError?: string
  /** Each answer that a read got. */
  onAnswer?: (operation: Operation, answer: Answer) => void
}

export const scenarioOf = (entities: string, operations: string, rest = ''): Scenario =>
  parseScenario(
    `name: replayed
summary: "a replay on the reference"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
${entities.trimEnd()}
operations:
${operations
  .trim()
  .split('\n')
  .map((line) => (line.trimEnd().endsWith('}') ? `  ${line.trim().replace(/\}$/, ', rate: 50/s, p99: 1s }')}` : line))
  .join('\n')}
${rest}
requirements: { peak: 2x, durability: fsync }
candidates: [none]
bench: { effort: smoke }
`,
    'replayed.yaml',
  )

export async function replay(scenario: Scenario, options: Replay = {}): Promise<{ invariants: InvariantResult[]; log: WriteLog; broken: string[] }> {
  const operations = allOperations(scenario)
  const dataset = makeDataset(scenario, 1)
  const { fault } = options
  const indexOf = (name?: string) => operations.findIndex((each) => each.name === name)
  const faulty = indexOf(fault?.operation)
  const server = new Reference(dataset, fault === undefined ? operations : [...operations, torn(operations[faulty] as Operation, fault.steps)])
  const reference = new Reference(dataset, operations)
  for (const each of [server, reference]) options.beforehand?.(dataset, (name, values) => void each.execute(indexOf(name), fixedParameters(values)))
  const clock = new VirtualClock()
  let calls = 0
  const perform = (index: number, values: Value[]): Answer | 'failed' => {
    const params = fixedParameters(values)
    const fate = index === faulty && fault !== undefined ? fault.of(calls++) : 'done'
    if (fate === 'failed') return fate
    if (fate === 'lost') return { kind: 'wrote', outcome: 'ok', rows: 1 }
    const answer = server.execute(fate === 'instead' ? operations.length : index, params)
    return fate === 'failed though done' ? 'failed' : answer
  }
  const slots = options.slots ?? 4
  const lane: Lane = {
    slots,
    onDone: () => {},
    onAnswer: () => {},
    flush: () => {},
    send(slot, index, params) {
      const values = params.values()
      clock.wakeAt(clock.nowNs() + 1e6 * (1 + (slot % 3)), () => {
        const answer = perform(index, values)
        if (answer === 'failed') return lane.onDone(slot, 'error', 0, 0, 'E')
        options.onAnswer?.(operations[index] as Operation, answer)
        if (answer.kind === 'wrote') lane.onDone(slot, answer.outcome, answer.rows, 0, '')
        else lane.onDone(slot, 'ok', 1, 0, '')
      })
    },
    [Symbol.asyncDispose]: async () => {},
  }
  // A store that is not by key finds nothing by values that its row has not.
  const knows = (operation: Operation, params: ParamSource, found: Answer) =>
    parametersOf(scenario, operation).every(({ name }, at) => {
      const [role, field = ''] = name.split('.')
      if (role !== 'known' || operation.kind !== 'get' || found.kind !== 'rows') return true
      return found.rows.every((row) => canonical(row[operation.fields.indexOf(field)] as Value) === canonical(params.value(at)))
    })
  const session = {
    perform: async (index: number, params: Parameters<Reference['execute']>[1]) => {
      if (options.readError !== undefined) throw new ServerError('connection-lost', options.readError)
      const found = server.execute(index, params)
      const answer: Answer = knows(operations[index] as Operation, params, found) ? found : { kind: 'rows', rows: [] }
      return { outcome: 'ok' as const, rows: 1, retries: 0, answer: () => answer }
    },
    total: async (entity: string, field?: string) => server.total(entity, field),
  }
  const before = await takeTotals(session, scenario)
  const seconds = options.seconds ?? 8
  const params = new DrawnParameters(dataset, operations, 'replayed', 64, scenario.epochMs)
  const spec = {
    loop: 'open' as const,
    arrival: 'poisson' as const,
    ratesPerSecond: operations.map((operation) => operation.ratePerSecond),
    concurrency: slots,
    warmUpSeconds: 0,
    seconds,
    seed: 3,
    stream: 'replayed',
  }
  const recording = new Executor(lane, clock, spec, operations, params).run()
  clock.run()
  const { writes: log } = await recording
  const nowMs = scenario.epochMs + (seconds + 1) * 1000
  const invariants = await checkInvariants(
    session,
    { scenario, operations, durability: options.durability ?? 'fsync' },
    dataset,
    { reference, before, log, deathsNs: options.deathsNs ?? [], nowMs },
    new AbortController().signal,
  )
  return { invariants, log, broken: invariants.filter((each) => !each.ok).map((each) => `${each.name}: ${each.detail}`) }
}

/** The first steps of an operation: its parameters come first, too. Of one that is no transaction what it is without its guard. */
function torn(operation: Operation, steps: number): Operation {
  if (operation.kind === 'update') {
    const { guard, ...unguarded } = operation
    return unguarded
  }
  return operation.kind === 'transaction' ? { ...operation, steps: operation.steps.slice(0, steps) } : operation
}
