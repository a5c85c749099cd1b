/** Section 8: how many copies there are, who answers what, and what happens when a server is lost. */

import { isReadOperation } from '../../assess/capacity/calls.ts'
import type { CandidatePlan } from '../../assess/fleet/candidate-plan.ts'
import type { CandidateResult } from '../../result/result.ts'
import { compositeBlocks } from '../composites.ts'
import type { Diagram } from '../diagrams/diagram.ts'
import { topologyText } from '../in-short.ts'
import { type Block, heading, paragraph, table } from '../render/document.ts'
import { spanText } from '../spans.ts'
import { designed, planOf, type Told } from '../told.ts'

type Facts = NonNullable<CandidateResult['traits']['plan']>
interface Replicated {
  name: string
  facts: Facts
  plan: CandidatePlan | null
}

export function replicationSection(told: Told): Block[] {
  const own = designed(told).flatMap(({ name, traits: { plan: facts } }): Replicated[] =>
    facts === null ? [] : [{ name, facts, plan: planOf(told, name) }],
  )
  const composites = told.decision === null ? [] : compositeBlocks(told.decision, 'read replicas')
  if (own.length === 0) return composites
  return [
    paragraph(
      'None of this was measured: the bench runs one server. Ranges are assumed, by the source beside them, and the hard constraints of section 3 are judged on draws from them, whose median and p10–p90 they tell; copies stand in different zones of one region, and several regions were not planned.',
    ),
    ...own.flatMap((each): Block[] => (each.plan === null ? [] : [{ kind: 'diagram', diagram: topologyDiagram(each.name, each.facts, each.plan) }])),
    table(
      [
        'candidate',
        'copies',
        'seconds until writes go on: most likely (least–most)',
        'seconds of writes lost with a server: most likely (least–most)',
        'source',
      ],
      own.map(({ name, plan, facts: { topology, failoverSeconds, lostSeconds } }) => [
        name,
        plan === null || topology.kind === 'ring'
          ? `${topology.copies}: ${topology.name}`
          : `${plan.fleet.now.servers / plan.fleet.now.parts}: ${topologyText(topology, plan)}`,
        rangeText(failoverSeconds.range),
        rangeText(lostSeconds.range),
        [...new Set([topology.source, failoverSeconds.source, lostSeconds.source])].join('; '),
      ]),
      [2, 3],
    ),
    heading(3, 'Who answers what'),
    table(['read', 'consistency asked for', ...own.map(({ name }) => name)], consistencyRows(told, own)),
    ...composites,
  ]
}

const rangeText = ({ low, mid, high }: Facts['failoverSeconds']['range']) => (low === high ? `${mid}` : `${mid} (${low}–${high})`)

function consistencyRows({ result: { scenario } }: Told, own: Replicated[]): string[][] {
  return scenario.operations
    .filter((each) => !each.internal && isReadOperation(each))
    .map(({ name, consistency, stalenessMs }) => {
      const asked = stalenessMs !== null && stalenessMs > 0 ? 'eventual' : consistency
      return [
        name,
        asked === consistency ? consistency : `${consistency}, and may be ${spanText(stalenessMs ?? 0)} old`,
        ...own.map(({ facts: { topology } }) => answeredBy(topology, topology.consulted[asked], asked)),
      ]
    })
}

function answeredBy({ kind, copies }: Facts['topology'], members: number, consistency: string): string {
  if (kind === 'ring') return `${members} of ${copies} copies`
  return consistency === 'eventual' ? 'any copy' : 'the primary'
}

/** Of the fleet of today; of several parts the first. */
function topologyDiagram(name: string, { topology }: Facts, { fleet: { now } }: CandidatePlan): Diagram {
  const members = Math.max(1, Math.round(now.servers / now.parts))
  const isRing = topology.kind === 'ring'
  const part = now.parts > 1 ? `, part 1 of ${now.parts}` : ''
  const titles = isRing
    ? [`${members} members, each row on ${topology.copies}`]
    : ['primary', ...Array.from({ length: members - 1 }, (_, at) => `copy ${at + 1}`)].map((each) => `${each}${part}`)
  const servers = titles.map((title) => ({ title, rows: [{ name: now.shape, note: '', keys: [] }] }))
  const beside = now.coordinators === '' ? [] : [{ title: now.coordinators, rows: [] }]
  const does = topology.beside.some(({ votes }) => votes) ? 'votes' : 'knows parts'
  return {
    kind: 'servers',
    alternative: `${name}: ${topology.name}, ${now.servers} × ${now.shape}${now.coordinators === '' ? '' : ` and ${now.coordinators}`}`,
    boxes: [{ title: `application, on ${name}`, rows: [] }, ...servers, ...beside],
    lines: [
      { from: 1, to: 0, label: isRing ? 'all calls' : 'writes', dashed: false },
      ...titles.slice(1).map((_, at) => ({ from: at + 2, to: 1, label: 'copies', dashed: false })),
      ...beside.map(() => ({ from: titles.length + 1, to: 1, label: does, dashed: true })),
    ],
  }
}
