/** `dbtrial init NAME`: writes a scenario to start from, out of the library, flags, answers or a database schema; never over an existing file. */
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { ServerError } from '../clients/server-error.ts'
import { printable } from '../controls.ts'
import { engineNamed, engines, knownEngines } from '../engines/registry.ts'
import { messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { type Dialect, type Draft, type DraftContents, type DraftEntity, draftText, identifierOf } from '../init/draft.ts'
import { commandLine } from '../invocation.ts'
import { makeDirectory } from '../provision/places.ts'
import { copied, scenarioNames } from '../scenario/library.ts'
import { choice } from '../scenario/problems.ts'
import { parseScenario } from '../scenario/read.ts'
import { type Durability, durabilities } from '../scenario/scenario.ts'
import { scenarioName } from '../scenario/schema.ts'
import { factor } from '../scenario/units.ts'
import { note, print } from './output.ts'

export interface InitOptions {
  from?: string
  entity: string[]
  summary?: string
  peak?: string
  durability?: Durability
  budget?: string
  candidates?: string
  fromDdl?: string
  fromPostgres?: string
  fromMysqlSlowLog?: string
  dialect: Dialect
  dir: string
}

const usual = { entities: ['item=1M'], peak: '3x', durability: 'fsync' as const, candidates: engines.slice(0, 3).map((engine) => engine.name) }

export async function init(name: string, options: InitOptions): Promise<void> {
  if (!scenarioName.safeParse(name).success)
    throw new TrialError('bad-name', `${JSON.stringify(name.slice(0, 60))} cannot be a scenario's name`, {
      hint: 'use a-z, 0-9, _ and -, starting with a letter, at most 40 long',
      exitCode: 2,
    })
  const path = join(options.dir, `${name}.yaml`)
  if (existsSync(path)) throw new TrialError('exists', `${path} is there already`, { hint: 'choose another name, or remove the file', exitCode: 2 })
  const given = [options.from, options.fromDdl, options.fromPostgres, options.fromMysqlSlowLog, options.entity[0]].some((each) => each !== undefined)
  const { from = options.from, ...answers } = !given && process.stdin.isTTY === true ? await ask() : {}
  const text = from === undefined ? draftText(withoutRefused({ ...(await draftOf(name, options)), ...answers })) : copied(inLibrary(from), name)
  for (const candidate of parseScenario(text, path).candidates) engineNamed(candidate.engine) // What init writes must be what run reads,
  parseScenario(text, path, knownEngines) // and what each of them promises.
  makeDirectory(options.dir)
  writeFileSync(path, text, { flag: 'wx' })
  print(path)
  note(`next: put your numbers in, then ${commandLine('validate', path)} and ${commandLine('plan', path)}`)
}

async function draftOf(name: string, options: InitOptions): Promise<Draft> {
  return {
    name,
    day: new Date().toISOString().slice(0, 10),
    summary: options.summary ?? `${name}: what it is for`,
    ...(await contentsOf(options)),
    peak: options.peak ?? usual.peak,
    durability: options.durability ?? usual.durability,
    ...(options.budget === undefined ? {} : { budget: options.budget }),
    candidates: options.candidates?.split(',').map((each) => each.trim()) ?? usual.candidates,
  }
}

/** An operation that the language refuses is left out, with the reason, and takes nothing else with it. */
function withoutRefused(draft: Draft): Draft {
  const { operations, ...rest } = draft
  if (operations === undefined) return draft
  const leftOut = [...(draft.leftOut ?? [])]
  const accepted = operations.filter((operation) => {
    const refused = refusalOf(draftText({ ...rest, operations: [operation], leftOut: [] }))
    if (refused !== null) leftOut.push(`${operation.name}, ${refused}: ${operation.definition}`)
    return refused === null
  })
  return { ...rest, leftOut, ...(accepted.length === 0 ? {} : { operations: accepted }) }
}

/** Why it is no scenario, without the place; null: it is one. */
function refusalOf(text: string): string | null {
  try {
    parseScenario(text, 'draft')
    return null
  } catch (error) {
    rethrowOwnFault(error)
    return (messageOf(error).split('\n')[0] ?? '').replace(/^draft:\d+:\d+: [^:]*: /, '')
  }
}

async function contentsOf({ fromPostgres, fromMysqlSlowLog, fromDdl, dialect, entity }: InitOptions): Promise<DraftContents> {
  if (fromPostgres !== undefined) return await drafted('--from-postgres', fromPostgres)
  if (fromMysqlSlowLog !== undefined) return await logged(fromMysqlSlowLog, fromDdl)
  if (fromDdl !== undefined) return { entities: await entitiesOfFile(fromDdl, dialect) }
  return { entities: (entity.length > 0 ? entity : usual.entities).map(entityOfFlag) }
}

/** Of a running server, whose product the option names. */
async function drafted(option: string, url: string): Promise<DraftContents> {
  const engine = engineNamed(option.replace('--from-', ''))
  const { parseEndpoint } = await import('../provision/external.ts')
  const { draftedFrom } = await import('../init/observed.ts')
  const { endpoint } = parseEndpoint(engine.name, engine, url, option)
  const observed = await engine.observe?.(endpoint).catch((error: unknown) => {
    rethrowOwnFault(error)
    if (error instanceof TrialError && !(error instanceof ServerError)) throw error
    throw new TrialError('not-observed', `${option}: ${messageOf(error)}`, {
      hint: 'is the server there, and may this account read it?',
      exitCode: 3,
    })
  })
  if (observed === undefined) throw new TrialError('not-observed', `nothing is known of how to look at ${engine.name}`, { exitCode: 2 })
  if (observed.statements.counted === null) note(observed.statements.why)
  return draftedFrom(observed)
}

/** Of a log that a server wrote; it names tables, and neither their keys nor their columns. */
async function logged(path: string, ddl: string | undefined): Promise<DraftContents> {
  if (ddl === undefined)
    throw new TrialError('no-ddl', '--from-mysql-slow-log: a log does not tell the keys of tables: give their CREATE TABLE statements, too', {
      hint: `mysqldump --no-data DATABASE > schema.sql, then --from-ddl schema.sql`,
      exitCode: 2,
    })
  const { tablesOfDdl } = await import('../init/ddl.ts')
  const { draftedFrom } = await import('../init/observed.ts')
  const { readSlowLog } = await import('../init/slow-log.ts')
  const tables = tablesOfDdl(readText(ddl), 'mysql')
  const log = await readSlowLog(createReadStream(path)).catch((error: unknown) => {
    throw new TrialError('log-unreadable', `${path} cannot be read: ${messageOf(error)}`, { exitCode: 2 })
  })
  if (log.counted.length === 0)
    throw new TrialError('log-empty', `there is no statement of a slow query log in ${path}`, {
      hint: 'SET GLOBAL slow_query_log = 1, long_query_time = 0, log_output = FILE, and let the application connect anew',
      exitCode: 2,
    })
  return draftedFrom({ tables, statements: log }, 'mysql')
}

async function entitiesOfFile(path: string, dialect: Dialect): Promise<DraftEntity[]> {
  const { entitiesOfDdl } = await import('../init/ddl.ts')
  return entitiesOfDdl(readText(path), dialect)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TrialError('ddl-unreadable', `${path} cannot be read: ${messageOf(error)}`, { exitCode: 2 })
  }
}

/** `customer=2M`: a name and its rows, with fields to begin with. */
function entityOfFlag(text: string): DraftEntity {
  const [, name = '', count = ''] = /^([^=]+)=(\d+(?:\.\d+)?[kMG]?)$/.exec(text) ?? []
  if (name === '' || identifierOf(name) !== name)
    throw new TrialError('bad-entity', `--entity ${text.slice(0, 80)}: expected NAME=ROWS, for example customer=2M`, { exitCode: 2 })
  return {
    name,
    count,
    fields: [
      { name: 'id', definition: 'type: uuid, key: true' },
      { name: 'title', definition: 'type: words, count: [1, 4]' },
      { name: 'state', definition: 'type: enum, values: { active: 80, archived: 20 }' },
      { name: 'created_at', definition: 'type: timestamp, within: 1y' },
    ],
  }
}

/** The name, where the library has it. */
function inLibrary(name: string): string {
  const names = scenarioNames()
  if (names.includes(name)) return name
  throw new TrialError('bad-from', `there is no scenario "${printable(name.slice(0, 80))}" to start from${choice(name, names)}`, { exitCode: 2 })
}

const nothing = 'nothing'

/** On a terminal, without flags. */
async function ask(): Promise<Partial<Draft> & { from?: string }> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  /** Asked again until the answer can be read. */
  const question = async <T>(text: string, otherwise: string, read: (answer: string) => T): Promise<T> => {
    for (;;) {
      const answer = (await terminal.question(`${text} [${otherwise}]: `)).trim() || otherwise
      try {
        return read(answer)
      } catch (error) {
        note(`  ${messageOf(error).replace(/^--entity /, '')}`)
      }
    }
  }
  // Whoever ends the input has given up.
  terminal.on('close', () => {
    if (!answered) {
      note('\nnothing was written')
      process.exit(2)
    }
  })
  let answered = false
  try {
    const from = await question(`Start from a scenario of the library (${scenarioNames().join(', ')}), or from ${nothing}?`, nothing, (text) =>
      text === nothing ? undefined : inLibrary(text),
    )
    if (from !== undefined) {
      answered = true
      return { from }
    }
    const summary = await question('What is it, in one sentence?', 'what it is for', (text) => text)
    const entities = await question('Entities with their rows in production', usual.entities.join(' '), (text) =>
      text.split(/[\s,]+/).map(entityOfFlag),
    )
    const peak = await question('Peak over average load', usual.peak, peakOf)
    const durability = await question(
      'What must an acknowledged write survive (fsync: a crash, relaxed: a crash but for the last writes, volatile: nothing)?',
      usual.durability,
      durabilityOf,
    )
    const candidates = await question('Candidates', usual.candidates.join(','), enginesOf)
    answered = true
    return { summary, entities, peak, durability, candidates }
  } finally {
    terminal.close()
  }
}

function peakOf(text: string): string {
  const parsed = factor.safeParse(text)
  if (!parsed.success) throw new TrialError('bad-answer', `${text.slice(0, 40)}: ${parsed.error.issues[0]?.message ?? 'not understood'}`)
  return text
}

function durabilityOf(text: string): Durability {
  const found = durabilities.find((each) => each === text.toLowerCase())
  if (found === undefined) throw new TrialError('bad-answer', `${text.slice(0, 40)}: expected ${durabilities.join(', ')}`)
  return found
}

const enginesOf = (text: string) => text.split(',').map((each) => engineNamed(each.trim()).name)
