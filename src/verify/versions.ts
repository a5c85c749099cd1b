/** What a version promises: of a row that is written only while its version is the one that was read, it counts the writes, and none is lost. */
import { display } from '../data/fields.ts'
import type { Value } from '../data/value.ts'
import { type OperationOf, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { InvariantResult } from './invariants.ts'

/** Looks at every row that is read back. */
export class Versions {
  readonly #versions: { entity: string; field: string; seen: number; wrong: number; example: string }[]

  constructor(scenario: Pick<Scenario, 'entities' | 'operations'>) {
    const counted = scenario.operations
      .flatMap(writesOf)
      .flatMap((write) => (write.kind === 'update' && write.guard?.asRead ? [{ entity: write.entity, field: write.guard.field }] : []))
    const names = new Map(counted.map((each) => [`${each.entity}.${each.field}`, each]))
    this.#versions = [...names.values()].map((each) => ({ ...each, seen: 0, wrong: 0, example: '' }))
  }

  /** `allows`: whether the loaded value of a field and the acknowledged writes lead to the one that was read. */
  look(check: OperationOf<'get'>, row: Value[], allows: (field: string) => boolean): void {
    for (const version of this.#versions) {
      if (version.entity !== check.entity) continue
      version.seen++
      if (allows(version.field)) continue
      version.wrong++
      version.example ||= `${display(row[0] as Value)}: ${row[check.fields.indexOf(version.field)]}`
    }
  }

  results(): InvariantResult[] {
    return this.#versions.map(({ entity, field, seen, wrong, example }) => ({
      name: `${entity}.${field} counts the writes`,
      ok: wrong === 0,
      detail: `${seen} written rows read back, ${wrong} of them not at the loaded version and the acknowledged writes${example === '' ? '' : ` (${example})`}`,
    }))
  }
}
