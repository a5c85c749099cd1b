/** An operation as data: what is printed, hashed, asked through the driver and written by the wire client. */
import type { ParamSource } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'

/** Plain values, which reach another thread as they are. */
export interface Program<Request = unknown> {
  operation: string
  /** What the server is asked, in order and in its own language, with a name in place of each value of a call; made from `variants`, or by a rehearsal where what is asked depends on answers. */
  shown: string[]
  /** Requests that follow one another; of a list those of its first page, and those of a page behind a cursor. */
  variants: Request[][]
  /** Position of the parameter that chooses the variant; null: there is one, or the engine chooses. */
  variantAt: number | null
  /** The requests take effect together, or not at all. */
  atomic: boolean
  /** The first request is none of those: it reads what is compared, or written on, by those behind it. */
  readsFirst?: true
  /** The request whose rows are the operation's. */
  counted: number
  /** Where the counted request finds nothing, or the one that reads before it, those behind it are not sent. */
  stopWhenEmpty: boolean
}

/** Of a request that changes rows under a guard: it must match all of them, else nothing of its operation takes effect, and the outcome is a conflict. */
export interface Guarded {
  /** Parameter with a target for each of the rows; null: there is one. */
  guarded?: { targetsAt: number | null }
}

/** The guard of a request, for what is made of it. */
export const guardOf = ({ guarded }: Guarded): Guarded => (guarded === undefined ? {} : { guarded })

/** Whether the first value of what a request reads is the number that one behind it compares. */
export function tellsNumber({ readsFirst, variants }: Pick<Program<Guarded>, 'readsFirst' | 'variants'>, at: number): boolean {
  return readsFirst === true && at === 0 && variants[0]?.[0]?.guarded !== undefined
}

/** Rows that a request must match. */
export function neededRows({ guarded }: Guarded, params: Pick<ParamSource, 'value'>): number {
  if (guarded === undefined) return 0
  return guarded.targetsAt === null ? 1 : (params.value(guarded.targetsAt) as Value[]).length
}

/** What depends on answers: a conversation, of which only what is printed is known beforehand. `variants`: requests that it chooses from. */
export function conversation<Request>(operation: string, shown: string[], variants: Request[][] = []): Program<Request> {
  return { operation, shown, variants, variantAt: null, atomic: false, counted: 0, stopWhenEmpty: false }
}

/** The index of the variant that a call's values choose. */
export function variantOf({ variantAt }: Program, params: ParamSource): number {
  return variantAt === null ? 0 : Number(params.value(variantAt))
}
