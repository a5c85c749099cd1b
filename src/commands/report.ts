/** `dbtrial report RESULT`: the report of a saved result once more, offline. */
import { dirname } from 'node:path'
import { assess } from '../assess/judge/assess.ts'
import { assessmentCsv } from '../report/render/csv.ts'
import { toMarkdown } from '../report/render/markdown.ts'
import { makeDocument, writeReport } from '../report/report.ts'
import { readResult } from '../result/result.ts'
import { decideIfCompared } from './assess.ts'
import { print } from './output.ts'
import { resultPath } from './runs.ts'

export async function report(argument: string, { format, out }: { format?: 'md' | 'json' | 'csv'; out: string }): Promise<void> {
  const path = resultPath(argument, out)
  const result = readResult(path)
  const assessment = assess(result)
  const decision = decideIfCompared(result, assessment)?.decision ?? null
  if (format === 'json') print(JSON.stringify({ ...assessment, decision }, null, 2))
  else if (format === 'md') print(toMarkdown(makeDocument(result, assessment, decision, [])))
  else if (format === 'csv') print(assessmentCsv(assessment))
  else for (const written of Object.values(await writeReport(dirname(path), result, assessment, decision))) print(written)
}
