/** From one core of the bench to the servers that are bought, factor by factor: side by side for all candidates, and what each factor rests on. */
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import type { WaterfallStep } from '../assess/fleet/waterfall.ts'
import { type Block, details, heading, paragraph, table } from './render/document.ts'

type Planned = readonly { name: string; plan: CandidatePlan }[]
type At = 'now' | 'horizon'

const number = (value: number) => Number(value.toPrecision(3)).toLocaleString('en-US')
const isOne = ({ factor }: WaterfallStep) => Math.abs(factor - 1) < 0.0005
const cell = (step: WaterfallStep) => (step.name === 'measured' ? number(step.factor) : `× ${number(step.factor)} → ${number(step.vcpus)}`)

export function waterfallBlocks(planned: Planned, months: number): Block[] {
  return [
    heading(3, 'From the bench to the servers'),
    paragraph(
      'What lies between the load that the bench’s server was measured with and the vCPUs that are bought now. Every number at its middle but for the draw that is bought for; the factors of a column multiply to its last line.',
    ),
    sideBySide(planned, 'now'),
    details(`The same for month ${months}`, [sideBySide(planned, 'horizon')]),
    details('What each factor rests on', [
      table(
        ['candidate', 'bought for month', 'step', 'factor', 'vCPU', 'why'],
        planned.flatMap(({ name, plan: { fleet } }) =>
          [...new Set([fleet.now, fleet.horizon])].flatMap(({ waterfall: { until, steps } }) =>
            steps
              .filter((step) => !isOne(step) || step.name === 'headroom')
              .map((step) => [name, String(until), step.what, number(step.factor), number(step.vcpus), step.why]),
          ),
        ),
        [3, 4],
      ),
    ]),
  ]
}

function sideBySide(planned: Planned, at: At): Block {
  const columns = planned.map(({ plan }) => plan.fleet[at].waterfall)
  const steps = (columns[0]?.steps ?? []).filter((_, index) => columns.some((column) => !isOne(column.steps[index] as WaterfallStep)))
  return table(
    ['vCPU after each step', ...planned.map(({ name }) => name)],
    [
      ...steps.map(({ name, what }) => [what, ...columns.map((column) => cell(column.steps.find((step) => step.name === name) as WaterfallStep))]),
      ['vCPU bought', ...columns.map(({ vcpus, until }) => `${number(vcpus)}, for what month ${until} asks`)],
    ],
    planned.map((_, index) => index + 1),
  )
}
