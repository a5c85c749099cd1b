/** `dbtrial report RESULT`: the report of a saved result once more, offline. */
import { dirname } from 'node:path'
import { assess } from '../assess/judge/assess.ts'
import { assessmentCsv } from '../report/render/csv.ts'
import { toMarkdown } from '../report/render/markdown.ts'
import { makeDecisionRecord, makeDocument, writeReport } from '../report/report.ts'
import { readResult } from '../result/result.ts'
import { decideIfCompared } from './assess.ts'
import { print } from './output.ts'
import { installedBrowser, printPdf } from './pdf.ts'
import { resultPath } from './runs.ts'

/** What is printed, or written beside the result: `pdf` by a browser that is installed. */
export type ReportFormat = 'md' | 'adr' | 'pdf' | 'json' | 'csv'

export async function report(argument: string, { format, out }: { format?: ReportFormat; out: string }): Promise<void> {
  const path = resultPath(argument, out)
  const result = readResult(path)
  const assessment = assess(result)
  const decision = decideIfCompared(result, assessment)?.decision ?? null
  if (format === 'json') print(JSON.stringify({ ...assessment, decision }, null, 2))
  else if (format === 'md') print(toMarkdown(makeDocument(result, assessment, decision, [])))
  else if (format === 'adr') print(toMarkdown(makeDecisionRecord(result, assessment, decision)))
  else if (format === 'csv') print(assessmentCsv(assessment))
  else {
    // Looked for before anything is drawn.
    const browser = format === 'pdf' ? installedBrowser() : null
    const written = await writeReport(dirname(path), result, assessment, decision)
    for (const each of browser === null ? Object.values(written) : [await printPdf(browser, written.html)]) print(each)
  }
}
