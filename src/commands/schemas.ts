/** `dbtrial schemas`: the JSON Schemas of scenarios and results, and what the guide shows of the library, written into the repository. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resultJsonSchema } from '../result/result.ts'
import { scenarioJsonSchema } from '../scenario/schema.ts'
import { withLibrary } from './library.ts'

export function writeSchemas(root: string): void {
  writeFileSync(join(root, 'scenarios/scenario.schema.json'), scenarioJsonSchema())
  writeFileSync(join(root, 'src/result/result.schema.json'), resultJsonSchema())
  const guide = join(root, 'scenarios/README.md')
  writeFileSync(guide, withLibrary(readFileSync(guide, 'utf8')))
}
