/** Groups of entities that one store is planned to serve late, and that another was measured to serve in time: what money alone does not say of a second store. */
import type { CandidatePlan } from '../fleet/candidate-plan.ts'
import { lateNow } from '../fleet/latency-of-plan.ts'
import type { CandidateAssessment } from '../judge/assess.ts'
import type { PolyglotProposal } from './polyglot.ts'

interface Planned {
  name: string
  plan: Pick<CandidatePlan, 'latency'> | null
}

/** One sentence each. `single`: the store that would serve all. */
export function lateGroups(
  groups: PolyglotProposal['groups'],
  single: Planned,
  assessments: readonly Pick<CandidateAssessment, 'name' | 'at'>[],
): string[] {
  const lateOfAll = single.plan === null ? [] : lateNow(single.plan.latency).filter(({ objective }) => objective === 'p99')
  return groups.flatMap(({ entities, operations }) => {
    const late = lateOfAll.filter(({ operation }) => operations.includes(operation))
    const others = late.length === 0 ? [] : assessments.filter(({ name }) => name !== single.name)
    return others.flatMap(({ name, at }) => {
      const cells = at.find(({ multiple }) => multiple === 1)?.cells ?? []
      const measured = late.map(({ operation, limitMs }) => {
        const found = cells.find((cell) => cell.operation === operation)
        return found?.outcome === 'met' && found.p99Us !== null && found.p99Us <= limitMs * 1000
          ? `${operation} ${milliseconds(found.p99Us / 1000)}`
          : null
      })
      if (measured.includes(null)) return []
      const planned = late.map(({ operation, totalMs, limitMs }) => `${operation} ${milliseconds(totalMs.p50)} of ${milliseconds(limitMs)}`)
      return [
        `${entities.join(', ')}: ${single.name} is planned to answer late (p99 of ${planned.join(', ')}); ${name} answered on the bench in time (${measured.join(', ')}, without a hop). Money is not all that a second store would be for.`,
      ]
    })
  })
}

const milliseconds = (value: number) => `${Number(value.toPrecision(3))} ms`
