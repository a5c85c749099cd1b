/** What it takes to go from one fleet to another: hours of people, and both fleets side by side while the data moves. Assumed; nothing of it was measured. */
import type { Topology } from '../../engines/engine.ts'
import { assumed, given, type Range } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import type { Choice } from './cheapest.ts'

type Fleet = Pick<Choice, 'shape' | 'parts' | 'members'>

export interface Migration {
  /** `bigger`: other or more servers · `replicas`: more members of each part · `shards`: more parts. */
  stage: 'bigger' | 'replicas' | 'shards'
  hours: number
  /** Months in which both fleets are paid. */
  overlapMonths: number
  /** It must begin so much earlier. */
  leadWeeks: number
}

/** A copy is built on each new server, then traffic moves; a week where data moves between parts. */
const days = { copy: 2, reshard: 7, divide: 30 } as const
/** Of people. Each can be replaced by what somebody knows; the path is chosen with its middle. */
const assumedHours = {
  copies: [assumed(8, 16, 32), 'to build a copy on each new server and to switch over'],
  ring: [assumed(12, 24, 48), 'to replace the servers of a ring one at a time'],
  member: [assumed(2, 4, 8), 'to add servers of the same kind'],
  ringServer: [assumed(1, 2, 4), 'to watch one server more join a ring'],
  reshard: [assumed(12, 24, 48), 'to divide the rows anew'],
  shard: [assumed(4, 8, 16), 'of each shard more or less, beside that'],
} as const satisfies Record<string, readonly [Range, string]>

/** Of one way of changing a fleet. */
const hoursOf = (what: keyof typeof assumedHours): number => {
  const [range, source] = assumedHours[what]
  return middleOf(given(`plan.migrationHours.${what}`, 'hours', range, 'assumed', `hours of an engineer ${source}`))
}
const daysPerMonth = 30.44

/** null: they are the same. */
export function migrationOf(from: Fleet, to: Fleet, { kind, sharded }: Topology): Migration | null {
  const isShape = from.shape !== to.shape
  const parts = Math.abs(to.parts - from.parts)
  if (!isShape && parts === 0 && from.members === to.members) return null
  const migration = (stage: Migration['stage'], hours: number, overlapDays: number, leadWeeks: number): Migration => ({
    stage,
    hours,
    overlapMonths: overlapDays / daysPerMonth,
    leadWeeks,
  })
  // A ring takes and gives servers one at a time, and moves its ranges by itself.
  if (kind === 'ring')
    return isShape ? migration('bigger', hoursOf('ring'), days.copy, 2) : migration('bigger', hoursOf('member') + hoursOf('ringServer') * parts, 0, 1)
  if (parts > 0) {
    // What the application must learn to ask several servers is in what shards cost a month (divideHours); here the rows move.
    const isFirst = from.parts === 1 && !sharded
    // Other servers are one more thing to do; more of the same stand beside the others at once, and a product that divides itself moves rows to them.
    const isAdded = sharded && !isShape && to.parts > from.parts
    const overlap = isAdded ? 0 : (isFirst ? days.divide : days.reshard) + (isShape ? days.copy : 0)
    const hours = hoursOf('reshard') + hoursOf('shard') * parts + (isShape ? hoursOf('copies') : 0)
    return migration('shards', hours, overlap, sharded ? 4 : isFirst ? 16 : 8)
  }
  return isShape ? migration('bigger', hoursOf('copies'), days.copy, 2) : migration('replicas', hoursOf('member'), 0, 1)
}
