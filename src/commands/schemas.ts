/** `dbtrial schemas`: the JSON Schemas of scenarios and results, written into the repository. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resultJsonSchema } from '../result.ts'
import { scenarioJsonSchema } from '../scenario/schema.ts'

export function writeSchemas(root: string): void {
  writeFileSync(join(root, 'scenarios/scenario.schema.json'), scenarioJsonSchema())
  writeFileSync(join(root, 'src/result.schema.json'), resultJsonSchema())
}
