/** Chooses the family's rules, and adds the operations that the harness itself needs. */
import { type Get, type Operation, ownedBy, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { Capabilities } from './capabilities.ts'
import { documentModel } from './document/model.ts'
import { keyValueModel } from './key-value/model.ts'
import { isKeyless, listedBy } from './keyless.ts'
import type { Family, PhysicalModel } from './model.ts'
import type { Indexing } from './relational/indexing.ts'
import { relationalModel } from './relational/model.ts'
import { wideColumnModel } from './wide-column/model.ts'

/** What an engine says of itself that its model follows from. */
interface Product {
  family: Family
  capabilities: Capabilities
  indexing?: Indexing
}

const families: Record<Family, (scenario: Scenario, operations: Operation[], product: Product) => PhysicalModel> = {
  relational: (scenario, operations, { indexing }) => relationalModel(scenario, operations, indexing),
  document: documentModel,
  'wide-column': wideColumnModel,
  'key-value': (scenario, operations, { capabilities }) => keyValueModel(scenario, operations, capabilities),
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
      ...(isKeyless(scenario, entity) && { known: listedBy(scenario, entity) }),
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

export function deriveModel(product: Product, scenario: Scenario): PhysicalModel {
  return families[product.family](scenario, allOperations(scenario), product)
}
