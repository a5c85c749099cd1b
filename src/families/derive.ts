/** Chooses the family's rules, and adds the operations that the harness itself needs. */
import { type Get, type Operation, ownedBy, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { Capabilities } from './capabilities.ts'
import { documentModel } from './document/model.ts'
import { keyValueModel } from './key-value/model.ts'
import type { Family, PhysicalModel } from './model.ts'
import { relationalModel } from './relational/model.ts'
import { wideColumnModel } from './wide-column/model.ts'

const families: Record<Family, (scenario: Scenario, operations: Operation[], capabilities: Capabilities) => PhysicalModel> = {
  relational: relationalModel,
  document: documentModel,
  'wide-column': wideColumnModel,
  'key-value': keyValueModel,
}

/** The scenario's operations, then one internal get per entity that is written, itself or what it owns, which reads back every acknowledged write. */
export function allOperations(scenario: Scenario): Operation[] {
  const written = new Set(scenario.operations.flatMap((operation) => writesOf(operation).map((write) => write.entity)))
  const checks = scenario.entities
    .filter(
      (entity) => entity.owner === null && (written.has(entity.name) || ownedBy(scenario, entity.name).some((owned) => written.has(owned.name))),
    )
    .map((entity): Operation & Get => ({
      kind: 'get',
      name: `check ${entity.name}`,
      entity: entity.name,
      with: ownedBy(scenario, entity.name).map((owned) => owned.name),
      fields: entity.fields.map((field) => field.name),
      ratePerSecond: 0,
      scales: true,
      loadGrowthPerMonth: 0,
      consistency: 'strong',
      stalenessMs: null,
      objectives: [],
      errorShare: 0,
      pick: { skew: { kind: 'uniform' }, miss: 0 },
      native: {},
      internal: true,
    }))
  return [...scenario.operations, ...checks]
}

export function deriveModel({ family, capabilities }: { family: Family; capabilities: Capabilities }, scenario: Scenario): PhysicalModel {
  return families[family](scenario, allOperations(scenario), capabilities)
}
