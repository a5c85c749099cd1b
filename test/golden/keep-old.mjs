// Keeps what a plan needs of a sample that an earlier dbtrial wrote, in the form of that dbtrial: one gzipped file a commit.
// node test/golden/keep-old.mjs 27b5245 a1f1272 45446c0
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/** Trials whose percentiles are merged: one round of each rate and the probes. Of the others the counts suffice. */
const isMerged = ({ phase, repeat }) => phase === 'probe' || (phase === 'confirmation' && repeat === 0)
const short = (histogram, kept) =>
  histogram === null
    ? null
    : Object.fromEntries(Object.entries(histogram).map(([name, value]) => [name, name === 'encoded' ? kept : Number(value.toPrecision(4))]))

for (const commit of process.argv.slice(2)) {
  const text = execFileSync('git', ['show', `${commit}:reports/sample/result.json`], { maxBuffer: 2 ** 27 })
  const result = JSON.parse(text)
  for (const candidate of result.candidates) {
    Object.assign(candidate, { explanations: [], handbook: {}, ddl: [], traits: {}, indexUse: [] })
    for (const trial of candidate.trials) {
      Object.assign(trial, { windows: [], timeline: [] })
      for (const operation of Object.values(trial.operations)) {
        operation.responseUs = isMerged(trial) ? short(operation.responseUs, operation.responseUs?.encoded) : null
        operation.serviceUs = short(operation.serviceUs, '')
        operation.queueUs = null
        operation.dispatchUs = null
      }
    }
  }
  result.assessment = null
  writeFileSync(new URL(`old/${commit}.json.gz`, import.meta.url), gzipSync(JSON.stringify(result), { level: 9 }))
}
