/** The design document: fifteen sections in one order, from the decision to the evidence that it rests on. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Decision } from '../assess/decision/decision.ts'
import type { Assessment } from '../assess/judge/assess.ts'
import type { Result } from '../result/result.ts'
import { sharesText } from '../scenario/shares.ts'
import { drawCharts } from './charts/charts.ts'
import { decisionRecord } from './decision-record.ts'
import { designFiles } from './design.ts'
import { firstScreen } from './first-screen.ts'
import { headline } from './headline.ts'
import { recommendation } from './recommendation.ts'
import { type Block, type Chart, type Document, heading, paragraph } from './render/document.ts'
import { count } from './render/format.ts'
import { toHtml } from './render/html.ts'
import { toMarkdown } from './render/markdown.ts'
import { accessSection } from './sections/access-patterns.ts'
import { backupSection } from './sections/backup.ts'
import { cachingSection } from './sections/caching.ts'
import { capacitySection } from './sections/capacity.ts'
import { dataModelSection } from './sections/data-model.ts'
import { decisionSection } from './sections/decision.ts'
import { evidenceSection } from './sections/evidence.ts'
import { migrationSection } from './sections/migration.ts'
import { monitoringSection } from './sections/monitoring.ts'
import { replicationSection } from './sections/replication.ts'
import { requirementsSection } from './sections/requirements.ts'
import { riskSection } from './sections/risks.ts'
import { securitySection } from './sections/security.ts'
import { selectionSection } from './sections/selection.ts'
import { shardingSection } from './sections/sharding.ts'
import type { Told } from './told.ts'

/** Writes report.md, report.html, charts/ and design/ beside the result; returns the paths of the first two. */
export async function writeReport(
  directory: string,
  result: Result,
  assessment: Assessment,
  decision: Decision | null,
): Promise<{ markdown: string; html: string }> {
  const charts = await drawCharts(result, assessment, decision)
  const told = toldOf(result, assessment, decision, charts)
  const document = documentOf(told)
  mkdirSync(join(directory, 'charts'), { recursive: true })
  for (const { file, png, svg } of charts) {
    const path = join(directory, 'charts', basename(file))
    replace(path, png)
    replace(path.replace(/\.png$/, '.svg'), svg)
  }
  const markdown = join(directory, 'report.md')
  const html = join(directory, 'report.html')
  replace(markdown, toMarkdown(document))
  replace(
    html,
    toHtml(
      document,
      `dbtrial: ${result.scenario.name}`,
      result.candidates.map(({ name }) => name),
    ),
  )
  writeDesign(join(directory, 'design'), told)
  return { markdown, html }
}

/** Anew: who was ranked before may not be now. */
function writeDesign(directory: string, told: Told): void {
  rmSync(directory, { recursive: true, force: true })
  for (const { path, text } of designFiles(told)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    replace(file, text)
  }
}

function replace(path: string, content: string | Buffer): void {
  try {
    writeFileSync(`${path}.new`, content)
    renameSync(`${path}.new`, path)
  } catch (error) {
    rmSync(`${path}.new`, { force: true })
    throw error
  }
}

interface Section {
  title: string
  /** Empty where this run has nothing to say. */
  write(told: Told): Block[]
  /** Said then. */
  nothing: string
}

const nothingPlanned = 'Nothing was compared, so nothing is planned.'
const nobodyRanked = 'Nobody is ranked, so there is no design that this could be said of.'

const sections: Section[] = [
  { title: 'Decision', write: decisionSection, nothing: '' },
  { title: 'Requirements', write: requirementsSection, nothing: '' },
  { title: 'Selection', write: selectionSection, nothing: '' },
  { title: 'Data model', write: dataModelSection, nothing: 'Nobody is ranked: the models of all candidates are in section 15.' },
  { title: 'Access patterns', write: accessSection, nothing: '' },
  { title: 'Caching', write: cachingSection, nothing: 'No operation reads a row by its key, so there is nothing that a cache could answer.' },
  { title: 'Partitioning and sharding', write: shardingSection, nothing: 'Nothing was planned that could be divided.' },
  { title: 'Replication', write: replicationSection, nothing: 'This result does not tell how its products keep copies.' },
  { title: 'Backup and recovery', write: backupSection, nothing: nobodyRanked },
  { title: 'Capacity and cost', write: capacitySection, nothing: nothingPlanned },
  { title: 'Monitoring', write: monitoringSection, nothing: nobodyRanked },
  { title: 'Migration plan', write: migrationSection, nothing: nobodyRanked },
  { title: 'Security', write: securitySection, nothing: '' },
  { title: 'Risks and anti-patterns', write: riskSection, nothing: '' },
  { title: 'Evidence', write: evidenceSection, nothing: '' },
]

export const makeDocument = (result: Result, assessment: Assessment, decision: Decision | null, charts: Chart[]): Document =>
  documentOf(toldOf(result, assessment, decision, charts))

/** For a repository: the decision without its evidence. */
export const makeDecisionRecord = (result: Result, assessment: Assessment, decision: Decision | null): Document =>
  decisionRecord(toldOf(result, assessment, decision, []))

const toldOf = (result: Result, assessment: Assessment, decision: Decision | null, charts: Chart[]): Told => ({
  result,
  assessment,
  decision,
  charts: (prefix) => charts.filter((each) => each.file.startsWith(prefix)).map((chart) => ({ kind: 'chart', chart })),
})

function documentOf(told: Told): Document {
  const { result, assessment } = told
  const { scenario, trialPlan } = result
  return [
    heading(1, `${scenario.name}: ${result.candidates.map((candidate) => candidate.name).join(', ')} on trial`),
    ...recommendation(told),
    ...firstScreen(told),
    { kind: 'callout', ...headline(result, assessment) },
    paragraph(scenario.summary),
    paragraph(
      `Run of ${result.startedAt.slice(0, 16).replace('T', ' ')} UTC, effort ${trialPlan.effort}, seed ${result.seed}, ${count(trialPlan.rows)} rows (${loadedText(result)}).`,
    ),
    { kind: 'contents' },
    ...sections.flatMap(({ title, write, nothing }, at) => {
      const blocks = write(told)
      return [heading(2, `${at + 1} ${title}`), ...(blocks.length === 0 ? [paragraph(nothing)] : blocks)]
    }),
  ]
}

function loadedText({ trialPlan: { share, shares }, scenario }: Result): string {
  const all = `${Number((share * 100).toPrecision(2))} % of production`
  return Object.keys(shares).length === 0 ? all : `${all}: ${sharesText(scenario, shares)}`
}
