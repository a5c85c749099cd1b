/** Work of those who run it themselves: hours a month by kinds of parts and by servers, and what they cost. No bill shows it, so it stands beside the total. */
import type { Topology } from '../../engines/engine.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { assumed, derived, type Figure, given, productOf } from '../figures/figure.ts'
import { choiceOf } from '../fleet/choice.ts'
import { assumptions } from '../fleet/plan-assumptions.ts'
import { besideOf, nodesOf } from '../fleet/supply.ts'

/** Of each kind of server (one that holds data, one that coordinates; what only votes is no kind): upgrades, watching, practising a restore. */
const hoursPerKind = assumed(2, 4, 8)
/** Of each server: patches, disks, replacements. */
const hoursPerNode = assumed(0.25, 0.5, 1)

export interface Labour {
  hours: Figure<'hours/month'>
  usdPerMonth: Figure<'USD/month'>
}

export function labourOf(name: string, month: number, topology: Topology, choice: Figure<'ratio'>, scenario: Scenario): Labour {
  const hours = derived(
    `cost.${name}.labourHours@${month}`,
    'hours/month',
    'kinds of servers × hoursPerKind + servers × hoursPerNode',
    [
      choice,
      given('plan.hoursPerKind', 'hours/month', hoursPerKind, 'assumed', 'to run one kind of server oneself'),
      given('plan.hoursPerNode', 'hours/month', hoursPerNode, 'assumed', 'to run one server oneself'),
    ],
    (chosen, kind, node) => {
      const fleet = choiceOf(chosen)
      const beside = besideOf(fleet, topology)
      const kinds = beside.some(({ votes }) => !votes) ? 2 : 1
      return kinds * kind + (nodesOf(fleet, topology) + beside.reduce((sum, { nodes }) => sum + nodes, 0)) * node
    },
  )
  return { hours, usdPerMonth: productOf(`cost.${name}.labour@${month}`, 'USD/month', 'labourHours × engineerHour', [hours, engineerHour(scenario)]) }
}

/** As the scenario says, or assumed. */
export function engineerHour({ requirements }: Scenario): Figure<'USD/hour'> {
  const stated = requirements.engineerUsdPerHour
  return given(
    'plan.engineerHour',
    'USD/hour',
    stated ?? assumptions.engineerUsd,
    stated === null ? 'assumed' : 'stated',
    stated === null ? 'an hour of an engineer with all that it costs' : 'requirements.engineer',
  )
}
