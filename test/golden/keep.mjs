// Turns a result into a fixture of the golden plans: what no plan reads (windows, timelines, histograms but those of the responses) is left out.
// node test/golden/keep.mjs reports/…/result.json test/golden/results/NAME.json
import { readFileSync, writeFileSync } from 'node:fs'

const [from, to] = process.argv.slice(2)
const result = JSON.parse(readFileSync(from, 'utf8'))
const rounded = (histogram, kept = '') =>
  histogram === null
    ? null
    : Object.fromEntries(Object.entries(histogram).map(([name, value]) => [name, name === 'encoded' ? kept : Number(value.toPrecision(5))]))
for (const candidate of result.candidates) {
  candidate.explanations = []
  candidate.handbook = {}
  for (const trial of candidate.trials) {
    trial.windows = []
    trial.timeline = []
    for (const operation of Object.values(trial.operations)) {
      operation.responseUs = rounded(operation.responseUs, operation.responseUs?.encoded)
      operation.serviceUs = rounded(operation.serviceUs)
      operation.queueUs = null
      operation.dispatchUs = null
    }
  }
}
result.assessment = null
writeFileSync(to, `${JSON.stringify(result)}\n`)
