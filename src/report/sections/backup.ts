/** Section 9: what is kept beside the servers, how it is brought back, and when that is tried. */
import { backupCopies, isKept, logDays } from '../../assess/cost/kept.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { Requirements, Scenario } from '../../scenario/scenario.ts'
import { archiveBlocks } from '../archive.ts'
import { type Block, code, heading, paragraph, table } from '../render/document.ts'
import { count } from '../render/format.ts'
import { recoveryText } from '../right-answers.ts'
import { spanText } from '../spans.ts'
import { designed, type Told } from '../told.ts'

const dayMs = 86_400_000

export function backupSection(told: Told): Block[] {
  const own = designed(told)
  if (own.length === 0) return []
  const { scenario } = told.result
  const recovered = recoveries(own)
  const kept = own.filter(isKept)
  const lost = own.filter((each) => !isKept(each))
  const loaded = loadedAgain(own, scenario)
  return [
    ...(lost.length === 0 ? [] : [paragraph(lostText(lost))]),
    ...(kept.length === 0
      ? loaded
      : [
          paragraph('No backup and no restore was measured. A replica is no backup: what deletes rows by mistake deletes them there, too.'),
          heading(3, 'Schedule'),
          table(['what', 'how often', 'kept', 'because'], schedule(scenario.requirements)),
          ...loaded,
          ...recovered,
        ]),
    heading(3, 'Procedures'),
    ...own.flatMap(procedures),
    ...archiveBlocks(told),
    ...(kept.length === 0
      ? []
      : [
          heading(3, 'Tests of the backup'),
          paragraph('Practice, not measured here; a backup that was never restored is a hope.'),
          table(['what', 'how often', 'it passes when'], calendar(scenario)),
        ]),
  ]
}

const lostText = (lost: CandidateResult[]) =>
  `Of ${lost.map(({ name }) => name).join(', ')} nothing is kept, and no schedule is for it: its rows live as long as their server (durability volatile), so there is nothing to copy and nothing to restore. What it held is found elsewhere, or may be lost.`

function schedule({ rpoMs, compliance }: Requirements): string[][] {
  const { low, mid, high } = backupCopies
  const full = [
    'a copy of the data',
    'every day, and all of it once a week',
    `what takes as much as ${mid} full copies (${low}–${high}), assumed, for products whose daily copy holds what changed; billed in section 10`,
    'the log since it is short enough to be played again',
  ]
  const days = `${logDays.mid} days (${logDays.low}–${logDays.high}), assumed; billed in section 10`
  const log =
    rpoMs === null
      ? ['the log', 'not asked for', '—', 'the scenario names no recovery point: a day’s writes may be lost']
      : rpoMs >= dayMs
        ? ['the log', 'not needed', '—', `${spanText(rpoMs)} of writes may be lost, and full copies come every day`]
        : [
            'the log',
            rpoMs === 0 ? 'with every write: a copy that confirms it' : `shipped at least every ${spanText(rpoMs / 2)}`,
            days,
            `no more than ${rpoMs === 0 ? 'nothing' : spanText(rpoMs)} of writes may be lost`,
          ]
  const apart = [
    'one full copy elsewhere',
    'every week',
    'as long as rules ask',
    `under another account and in another place${compliance.length > 0 ? `; ${compliance.join(', ')}` : ''}`,
  ]
  return [full, log, apart]
}

/** The only speed that was measured: it bounds nothing, and says of which size the question is. */
function loadedAgain(own: CandidateResult[], { entities, requirements: { rtoMs } }: Scenario): Block[] {
  const rows = entities.reduce((sum, each) => sum + each.count, 0)
  const told = own.flatMap(({ name, load }) =>
    load === null || load.seconds <= 0
      ? []
      : [
          `${name} took ${count(load.rows / load.seconds)} rows a second; all ${count(rows)} rows of production at that speed are ${spanText((rows / (load.rows / load.seconds)) * 1000)}`,
        ],
  )
  if (told.length === 0) return []
  const limit =
    rtoMs === null
      ? ''
      : ` The ${spanText(rtoMs)} that the scenario allows until writes go on are kept by the copies of section 8, and after a mistake only by a restore that was tried on data of this size.`
  return [
    paragraph(
      `Loading everything anew, on the machine of the bench: ${told.join('; ')} (derived, a straight line). Copying files back is another way, whose speed was not measured.${limit}`,
    ),
  ]
}

function recoveries(own: CandidateResult[]): Block[] {
  const told = own.flatMap(({ name, kills, load }) =>
    kills === null ? [] : [`${name}, with ${count(load?.rows ?? 0)} rows loaded, ${recoveryText(kills.recoverySeconds)}`],
  )
  return told.length === 0
    ? []
    : [
        paragraph(
          `Measured, the time until a server that was killed in the middle of its writes answered again, on what it had left: ${told.join('; ')}.`,
        ),
      ]
}

function procedures({ name, handbook: { backup = [], restore = [] } }: CandidateResult): Block[] {
  if (backup.length + restore.length === 0) return [paragraph(`${name}: this result holds no procedures.`)]
  return [paragraph(`${name}, back up, then restore:`), code('sh', [...backup, '', ...restore].join('\n'))]
}

function calendar({ invariants, requirements: { rtoMs, rpoMs } }: Scenario): string[][] {
  const checks =
    invariants.length === 0
      ? 'its counts of rows are right'
      : `its counts of rows are right and ${invariants.map(({ name }) => name).join(', ')} holds`
  return [
    ['restore the last copy on a spare server', 'every month', `${checks}${rtoMs === null ? '' : `, within ${spanText(rtoMs)}`}`],
    ...(rpoMs === null || rpoMs >= dayMs
      ? []
      : [['restore to a minute of yesterday', 'every quarter', `no more than ${rpoMs === 0 ? 'nothing' : spanText(rpoMs)} of writes is missing`]]),
    ['take the primary, or a member, away under load', 'every quarter', rtoMs === null ? 'writes go on' : `writes go on within ${spanText(rtoMs)}`],
    ['restore with people who did not write the procedure', 'every year', 'they need nobody else'],
  ]
}
