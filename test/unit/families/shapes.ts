/** Scenarios that are nothing but entities and operations: what a family makes of their shapes. */
import { parseScenario } from '../../../src/scenario/read.ts'

/** `operations`: by name, each without its rate and objective, which are the same for all. */
export const scenarioFor = (engine: string) => (entities: string, operations: Record<string, string>) =>
  parseScenario(
    [
      'name: shapes',
      'summary: "Shapes of a model"',
      'seed: 7',
      'epoch: 2026-03-01T12:00:00Z',
      `entities: ${entities}`,
      'operations:',
      ...Object.entries(operations).map(([name, text]) => `  ${name}: { ${text}, rate: 10/s, p99: 1s }`),
      'requirements: { peak: 2x, durability: fsync }',
      `candidates: [${engine}]`,
    ].join('\n'),
    'shapes.yaml',
  )
