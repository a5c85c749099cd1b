/** The design of each ranked candidate in a dozen lines, for who has ten minutes: each line is told at length in a section of its own. */
import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import { bytes } from '../assess/figures/amount.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import type { Composite } from '../assess/fleet/composites.ts'
import type { Topology } from '../engines/engine.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { limitsText, yearsText } from './fleet-in-short.ts'
import { goodError } from './forecasts.ts'
import { cost, decidingText, fleet, plannedOf } from './plan.ts'
import { type Block, table } from './render/document.ts'
import { percent, usd } from './render/format.ts'
import { intervalText } from './rivals.ts'
import { designed, type Told } from './told.ts'

const maxColumns = 3
const maxChanges = 2

export function inShort(told: Told): Block[] {
  const { result, decision } = told
  if (decision === null) return []
  const planned = plannedOf(decision)
  const own = designed(told)
    .slice(0, maxColumns)
    .flatMap((candidate): Own[] => {
      const found = planned.find(({ key }) => key === candidate.name)
      return found === undefined ? [] : [{ candidate, decided: found, plan: found.plan }]
    })
  if (own.length === 0) return []
  const line = (name: string, of: (each: Own) => string) => [name, ...own.map(of)]
  return [
    table(
      ['in short', ...own.map(({ decided }) => decided.name)],
      [
        line(
          'servers now',
          ({ candidate, plan }) =>
            `${topologyText(candidate.traits.plan?.topology, plan)}: ${fleet(plan.fleet.now)}; durability ${candidate.durability}`,
        ),
        line(
          'one server of the bench carries',
          ({ candidate: { capacity } }) =>
            `${intervalText(capacity.multiple)} the average load${capacity.mix === 'partial' ? ', partial mix' : ''}; bound by ${capacity.boundBy}`,
        ),
        line('the limits on these servers', ({ decided, plan }) => limitsText(decided, plan)),
        line('USD a month', ({ plan }) => costText(plan, decision)),
        line('USD a year', ({ plan }) => yearsText(plan)),
        line('what breaks first, and when', ({ plan }) => changesText(plan, decision.months)),
        line('stored, with indexes', ({ candidate }) => storedText(candidate.name, decision)),
        line('a server lost', ({ decided }) => recoveryText(decided)),
        line('a cache, more copies, a search store', ({ candidate }) => besideText(candidate.name, decision)),
        ...(decision.polyglot === null
          ? []
          : [
              line('other stores', () =>
                decision.polyglot?.worthIt
                  ? 'more than one store is cheaper (section 3)'
                  : decision.polyglot?.late.length
                    ? 'none by its price; one would answer in time where this one is planned to be late (section 3)'
                    : 'none: one store is enough (section 3)',
              ),
            ]),
        line('how sure', ({ candidate }) => restsText(candidate, result, decision)),
        line('what would change it', ({ candidate, plan }) => changeText(candidate.name, plan, decision)),
      ],
    ),
  ]
}

interface Own {
  candidate: CandidateResult
  decided: CandidateDecision
  plan: CandidatePlan
}

/** Three servers are no primary and a replica: what stands beyond the copies of a topology answers reads. */
export function topologyText(
  own: Pick<Topology, 'kind' | 'copies'> | undefined,
  { topology, fleet: { now } }: Pick<CandidatePlan, 'topology' | 'fleet'>,
) {
  const more = own === undefined || own.kind === 'ring' ? 0 : now.servers / now.parts - own.copies
  return more > 0 ? `${topology}, with ${more === 1 ? '1 copy' : `${more} copies`} more for reads that may be old` : topology
}

export function costText({ fleet: { now, horizon } }: CandidatePlan, { months, budgetUsdPerMonth: budget }: Decision): string {
  const within = horizon.withinBudget === null ? '' : `; of ${usd(budget ?? 0)} allowed, kept in ${percent(horizon.withinBudget)} of the draws`
  return `${cost(now.total)} now, ${cost(horizon.total)} in month ${months}${within}`
}

/** Steps of the path; what stands from the first day is none. */
export function changesText({ triggers }: CandidatePlan, months: number): string {
  const ahead = triggers.filter(
    ({ planned, month, probability }) => (planned ?? month.p50) > 0 && (planned ?? month.p50) <= months && probability > 0,
  )
  if (ahead.length === 0) return `nothing within ${months} months`
  const weeks = (n: number) => (n === 1 ? 'a week' : `${n} weeks`)
  return ahead
    .slice(0, maxChanges)
    .map(
      ({ planned, month, action, leadWeeks, shortage }) =>
        `month ${planned ?? Math.round(month.p50)}${shortage === null ? '' : `, ${shortage.resource} used up`}: ${action} (begin ${weeks(leadWeeks)} before)`,
    )
    .join('; ')
}

/** Now, in half a year, and after each year. */
function storedText(name: string, { demand, months }: Decision): string {
  const wanted = [0, 6, ...Array.from({ length: Math.floor(months / 12) }, (_, year) => 12 * (year + 1))]
  const nearest = wanted.map((month) =>
    demand.months.reduce((best, each) => (Math.abs(each.month - month) < Math.abs(best.month - month) ? each : best)),
  )
  return [...new Set(nearest)]
    .flatMap(({ month, stored }) => {
      const own = stored.find(({ candidate }) => candidate === name)
      return own === undefined ? [] : [`${bytes(own.bytes)} ${month === 0 ? 'now' : `in month ${month}`}`]
    })
    .join(', ')
}

function recoveryText({ constraints }: CandidateDecision): string {
  const of = (name: string) => constraints.find((each) => each.name === name)
  const parts = [
    ['writes go on after', of('recovery time')],
    ['writes lost', of('recovery point')],
    ['up', of('availability')],
  ] as const
  return (
    parts.flatMap(([what, found]) => (found === undefined ? [] : [`${what} ${found.planned}, of ${found.asked} asked`])).join('; ') ||
    'nothing is asked for (section 8)'
  )
}

const places: Record<Composite['kind'], number> = { 'cache in front': 6, 'read replicas': 8, 'search store beside': 3 }

function besideText(name: string, { composites }: Decision): string {
  const own = composites.filter(({ candidate, worthTrying }) => candidate === name && worthTrying)
  return own.length === 0
    ? 'none saves enough to be worth measuring'
    : own
        .map(
          ({ kind, usdPerMonth, aloneUsdPerMonth }) =>
            `${kind}: ${usd(usdPerMonth.horizon)} in place of ${usd(aloneUsdPerMonth.horizon)} USD a month at the horizon, not measured (section ${places[kind]})`,
        )
        .join('; ')
}

/** What the numbers rest on, and what they do not. */
export function restsText({ name, capacity }: CandidateResult, { trialPlan: { share, data } }: Result, { forecasts }: Decision): string {
  const own = forecasts.filter(({ candidate }) => candidate === name)
  const inMemory = data !== null && data.loadedBytes < data.memoryBytes && data.productionBytes > data.memoryBytes
  return [
    `measured on ${Number((share * 100).toPrecision(2))} % of the rows${inMemory ? ', all in memory' : ''}`,
    'on one server: no copies, no network',
    ...(own.length === 0
      ? []
      : [
          `the model predicted ${own.filter(({ error }) => error <= goodError).length} of ${own.length} held-back numbers within ${percent(goodError)}`,
        ]),
    ...(capacity.notTested.length === 0 ? [] : [`called too rarely to tell which load they bear: ${capacity.notTested.join(', ')}`]),
  ].join('; ')
}

export function changeText(name: string, plan: CandidatePlan, { ranking: { smallestChange }, forks, months }: Decision): string {
  const fork = forks.find(({ candidate }) => candidate === name)
  const [growing, rolledUp] = [fork?.growingCalls ?? null, fork?.rolledUp ?? null]
  return (
    [
      ...(rolledUp === null || rolledUp.usdPerMonth === null
        ? []
        : [
            `with ${rolledUp.operations.join(' and ')} rolled up it costs ${usd(rolledUp.usdPerMonth.now)} USD a month now and ${usd(rolledUp.usdPerMonth.horizon)} in month ${months}`,
          ]),
      ...(growing === null
        ? []
        : [
            `if the calls that the scenario lets stand still grow as ${growing.still.entity} does, ${percent(growing.still.growthPerMonth)} a month, ${growing.usdPerMonth === null ? 'no fleet carries them' : `it costs ${usd(growing.usdPerMonth.horizon)} USD a month in month ${months}`}`,
          ]),
      ...(smallestChange === null
        ? []
        : [
            `a weight of ${smallestChange.to.toFixed(2)} for ${smallestChange.criterion} in place of ${smallestChange.from.toFixed(2)} puts ${smallestChange.winner} first`,
          ]),
      decidingText(plan) ?? '',
    ]
      .filter((each) => each !== '')
      .join('; ') || 'nothing that was looked at'
  )
}
