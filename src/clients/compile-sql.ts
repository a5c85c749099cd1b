/** Compiles a relational model for one product: definitions and statements in its dialect. */
import type { Engine, Limits } from '../engines/engine.ts'
import { upsOf } from '../families/definitions.ts'
import { compileSql } from '../families/relational/compile.ts'
import type { SqlDialect } from '../families/relational/dialect.ts'
import { definitionsOf } from '../families/relational/tables.ts'
import type { Durability } from '../scenario/scenario.ts'

/** The `compile` of a relational product; `settings`: of the server, as configured. */
export function compilingSql(dialect: SqlDialect, settings: (limits: Limits, durability: Durability) => Record<string, string>): Engine['compile'] {
  return (model, operations, scenario, durability) => {
    const { tables, references } = definitionsOf(dialect, scenario, model.stores)
    return {
      engine: dialect.name,
      durability,
      scenario,
      operations,
      model,
      ddl: upsOf(tables),
      afterLoad: upsOf(references),
      programs: operations.map((operation) => compileSql(dialect, scenario, operation)),
      settings: settings({ cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }, durability),
    }
  }
}
