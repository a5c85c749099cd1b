/** The columns of a store with the fields that they hold; those of embedded rows too, where a model leaves them to the document. */
import type { CandidateResult } from '../result/result.ts'
import { type Entity, entityOf, type Field, lineFields, type Scenario } from '../scenario/scenario.ts'

export type Store = CandidateResult['model']['stores'][number]

export interface StoredColumn {
  /** As it stands in the store. */
  name: string
  type: string
  scale: number
  role: Store['columns'][number]['role']
  entity: Entity
  field: string
  /** null: made of another field, as buckets and words are. */
  own: Field | null
}

export function columnsOf(store: Store, scenario: Scenario): StoredColumn[] {
  const told = store.columns.map(({ name, type, scale, role, entity: of, field }): StoredColumn => {
    const entity = entityOf(scenario, of)
    const derived = role === 'bucket' || role === 'token'
    return { name, type, scale, role, entity, field, own: derived ? null : (entity.fields.find((each) => each.name === field) ?? null) }
  })
  const untold = store.embedded.filter((name) => told.every(({ entity }) => entity.name !== name))
  return [...told, ...untold.flatMap((name) => embeddedColumns(entityOf(scenario, name)))]
}

/** Of a list of rows inside its owner. */
function embeddedColumns(owned: Entity): StoredColumn[] {
  return lineFields(owned).map((own) => ({
    name: `${owned.name}[].${own.name}`,
    type: own.type,
    scale: own.scale,
    role: owned.key.at(-1) === own.name ? 'line' : 'value',
    entity: owned,
    field: own.name,
    own,
  }))
}
