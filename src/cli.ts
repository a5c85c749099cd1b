/** The command line: parses it, calls the parts, prints results to stdout and everything else to stderr, sets exit codes. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument, Command, CommanderError, Option } from 'commander'
import type { AdviseOptions } from './commands/advise.ts'
import type { AssessOptions } from './commands/assess.ts'
import type { CompareOptions } from './commands/compare.ts'
import { applyDefaults, defaultsText, variableOf } from './commands/defaults.ts'
import { exitCodesText, failOnText, tellFault, usualFindings } from './commands/ending.ts'
import type { InitOptions } from './commands/init.ts'
import { flushed, note, outliveReaders } from './commands/output.ts'
import type { ReportFormat } from './commands/report.ts'
import type { ResolutionOptions } from './commands/resolution.ts'
import type { RunOptions } from './commands/run.ts'

import { TrialError } from './errors.ts'
import { dialects } from './init/draft.ts'
import { durabilities } from './scenario/scenario.ts'
import { version } from './version.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = new Command()
  .name('dbtrial')
  .description('Puts candidate databases on trial for one application: real servers, verified answers, honest clocks.')
  .version(version, '-v, --version')
  .addHelpText('after', exitCodesText + defaultsText)
  .hook('preAction', (_, command) => applyDefaults(command))
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) })
  .showSuggestionAfterError()

const resultText = "a result.json, a run's directory, or last"
const failOn = new Option('--fail-on <findings>', failOnText).env(variableOf('fail-on')).default(usualFindings)
const candidates = new Option('--candidates <names>', 'only these candidates, separated by commas').env(variableOf('candidates'))
const seed = new Option('--seed <number>', "another seed than the scenario's").env(variableOf('seed'))
const data = new Option('--data <directory>', "parent of the servers' data directories; must be on a disk").env(variableOf('data'))
const reports = new Option('--out <directory>', "parent of the reports' directories").env(variableOf('out')).default(join(root, 'reports'))
const collect = (text: string, before: string[]) => [...before, text]
const efforts = new Option(
  '--effort <effort>',
  'smoke: right answers, minutes; quick: 1.5M rows, half an hour; standard: 5M rows; thorough: more rounds and starts',
)
  .choices(['smoke', 'quick', 'standard', 'thorough'])
  .env(variableOf('effort'))

program
  .command('run')
  .description('measure the candidates of a scenario and write a report')
  .argument('<scenario>', 'name in scenarios/ or path of a YAML file')
  .addOption(candidates)
  .addOption(efforts)
  .addOption(
    new Option('--provision <kind>', 'where servers come from')
      .env(variableOf('provision'))
      .choices(['auto', 'container', 'local', 'external'])
      .default('auto'),
  )
  .addOption(new Option('--client <kind>', 'what the replay sends through').env(variableOf('client')).choices(['wire', 'driver']).default('wire'))
  .option('--endpoint <name=url>', 'a server that runs already, for one candidate; may be repeated', collect, [])
  .option('--allow-remote', 'load servers of other machines, too')
  .addOption(seed)
  .addOption(reports)
  .addOption(data)
  .option('--resume <directory>', 'continue the interrupted run whose report lies there')
  .option('--allow-native', 'run the statements that the scenario itself brings')
  .addOption(failOn)
  .option('--json', 'print the result as JSON, and nothing else')
  .option('--quiet', 'no progress')
  .addHelpText('after', exitCodesText)
  .action(async (name: string, options: RunOptions) => (await import('./commands/run.ts')).run(name, options))

program
  .command('resolution')
  .description('how far two equals differ on this machine: one engine entered twice, every number that a report compares')
  .argument(
    '<scenario...>',
    'name in scenarios/ or path of a YAML file; or results of earlier trials of equals: in how many of them was each number called different',
  )
  .option('--engine <name>', 'the engine; else the first candidate of the scenario')
  .addOption(efforts)
  .addOption(new Option('--provision <kind>', 'where servers come from').choices(['auto', 'container', 'local']).default('auto'))
  .addOption(seed)
  .addOption(reports)
  .addOption(data)
  .option('--json', 'print JSON, and nothing else')
  .option('--quiet', 'no progress')
  .action(async (names: string[], options: ResolutionOptions) => (await import('./commands/resolution.ts')).resolution(names, options))

program
  .command('advise')
  .description('try on fresh servers what a result gives reason to: indexes that are missing or that no call used, beside the design as it is')
  .argument('<result>', resultText)
  .option('--candidate <name>', 'of the result; else the first that there is something to try of')
  .addOption(efforts)
  .addOption(new Option('--provision <kind>', 'where servers come from').choices(['auto', 'container', 'local']).default('auto'))
  .addOption(reports)
  .addOption(data)
  .option('--json', 'print JSON, and nothing else')
  .option('--quiet', 'no progress')
  .action(async (path: string, options: AdviseOptions) => (await import('./commands/advise.ts')).advise(path, options))

program
  .command('init')
  .description(
    'write a commented scenario to start from: a copy out of the library, by flags, by answers on a terminal, from CREATE TABLE statements, or from a server that an application uses or the log of one',
  )
  .argument('<name>', 'name of the scenario')
  .addOption(
    new Option('--from <scenario>', 'name in scenarios/, to begin with a copy of').conflicts([
      ...['entity', 'summary', 'peak', 'durability', 'budget', 'candidates', 'fromDdl', 'fromPostgres', 'fromMysqlSlowLog'],
    ]),
  )
  .option('--entity <name=rows>', 'an entity and its rows in production, such as customer=2M; may be repeated', collect, [])
  .option('--summary <text>', 'one sentence')
  .option('--peak <factor>', 'peak over average load, such as 3x')
  .addOption(
    new Option('--durability <durability>', 'what an acknowledged write survives: a crash, a crash but for the last writes, nothing').choices(
      durabilities,
    ),
  )
  .option('--budget <amount>', 'such as "4000 USD/month"')
  .option('--candidates <names>', 'engines, separated by commas')
  .option('--from-ddl <file>', 'SQL file with CREATE TABLE statements')
  .addOption(
    new Option(
      '--from-postgres <url>',
      'a PostgreSQL that an application uses: tables, rows, values, and the statements that pg_stat_statements has counted; it is only read, its password may stand in DBTRIAL_PASSWORD_POSTGRES',
    ).conflicts(['entity', 'fromDdl']),
  )
  .addOption(
    new Option(
      '--from-mysql-slow-log <file>',
      'slow query log of a MySQL or MariaDB, written with long_query_time=0 while an application used it: its statements, with the tables of --from-ddl',
    ).conflicts(['entity', 'fromPostgres']),
  )
  .addOption(new Option('--dialect <dialect>', 'of that file').choices(dialects).default('postgresql'))
  .option('--dir <directory>', 'where to write it', join(root, 'scenarios'))
  .action(async (name: string, options: InitOptions) => (await import('./commands/init.ts')).init(name, options))

program
  .command('calibrate')
  .description("the harness's own limits on this machine, in a minute")
  .argument('[scenario]', 'whose mix is drawn', 'ecommerce')
  .option('--json', 'print JSON')
  .action(async (name: string, options: { json?: boolean }) => (await import('./commands/calibrate.ts')).calibrate(name, options))

program
  .command('validate')
  .description('check scenarios; nothing starts')
  .argument('<scenario...>', 'names in scenarios/ or paths')
  .option('--json', 'print JSON, problems with their places')
  .action(async (names: string[], options: { json?: boolean }) => (await import('./commands/scenario.ts')).validate(names, options))

program
  .command('plan')
  .description('what a run would load and measure, what is derived, how long it takes')
  .argument('<scenario>')
  .addOption(candidates)
  .addOption(efforts)
  .addOption(seed)
  .option('--json', 'print JSON')
  .action(async (name: string, options: RunOptions) => (await import('./commands/scenario.ts')).plan(name, options))

program
  .command('models')
  .description('the physical model that an engine gets: definitions, statements, reasons')
  .argument('<scenario>')
  .requiredOption('--engine <name>', 'engine')
  .option('--json', 'print JSON')
  .action(async (name: string, options: { engine: string; json?: boolean }) => (await import('./commands/scenario.ts')).models(name, options))

program
  .command('doctor')
  .description('what would run on this machine, and the fix for what would not')
  .addOption(data)
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean; data?: string }) => (await import('./commands/doctor.ts')).doctor(options))

program
  .command('assess')
  .description('verdict, capacity plan and cost of saved results, offline; with other weights, prices or wishes')
  .argument('<result...>', `${resultText}; several of one scenario are pooled`)
  .addOption(reports)
  .option('--weights <list>', 'how often a criterion counts, such as latency=2 for twice, fit=0 for not at all; the others count once')
  .option('--prices <file>', 'a price catalogue of your own')
  .option('--peak <factor>', 'peak over average load, such as 5x')
  .option('--growth <list>', 'of entities or operations, such as order=8%/month,session=-2%/month')
  .option('--horizon <duration>', 'such as 5y')
  .option('--budget <amount>', 'such as "6000 USD/month"')
  .option('--assume <list>', 'what you know of what is assumed, such as plan.hostFactor=0.9')
  .option('--explain <number>', 'why a fleet or a number is as it is: a candidate such as postgres@36, or a number such as cost.postgres.total@12')
  .addOption(new Option('--fail-on <findings>', failOnText).env(variableOf('fail-on')).default('none'))
  .option('--json', 'print JSON')
  .addHelpText('after', exitCodesText)
  .action(async (paths: string[], options: AssessOptions) => (await import('./commands/assess.ts')).assessCommand(paths, options))

program
  .command('compare')
  .description('compare two results of one scenario: faster, slower or tie; exit code 99 on a regression')
  .argument('<baseline>', `${resultText}: then of the last two runs`)
  .argument('[result]', `${resultText}; after last: the scenario`)
  .addOption(reports)
  .option('--tolerance <share>', 'how much slower is no regression', '25%')
  .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json', 'md', 'junit', 'csv']).default('text'))
  .addHelpText('after', exitCodesText)
  .action(async (baseline: string, result: string | undefined, options: CompareOptions) =>
    (await import('./commands/compare.ts')).compareCommand(baseline, result, options),
  )

program
  .command('report')
  .description('write the report of a saved result again, offline')
  .argument('<result>', resultText)
  .addOption(reports)
  .addOption(
    new Option(
      '--format <format>',
      'print this instead of writing files; adr: the decision alone; pdf: written beside, by an installed Chromium',
    ).choices(['md', 'adr', 'pdf', 'json', 'csv']),
  )
  .action(async (path: string, options: { format?: ReportFormat; out: string }) => (await import('./commands/report.ts')).report(path, options))

program
  .command('list')
  .description('the runs that there are, newest first')
  .argument('[scenario]', 'only runs of this scenario')
  .addOption(reports)
  .option('--json', 'print JSON')
  .action(async (scenario: string | undefined, options: { out: string; json?: boolean }) =>
    (await import('./commands/runs.ts')).list(scenario, options),
  )

program
  .command('completion')
  .description('a script that completes commands and options: eval "$(dbtrial completion bash)"')
  .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
  .action(async (shell: 'bash' | 'zsh' | 'fish') => (await import('./commands/completion.ts')).completion(program, shell))

program
  .command('fetch')
  .description("fetch an engine's server package and print where it lies")
  .argument('<engine>')
  .action(async (name: string) => (await import('./commands/fetch.ts')).fetch(name))

program
  .command('schemas', { hidden: true })
  .description('write the JSON Schemas of scenarios and results')
  .action(async () => (await import('./commands/schemas.ts')).writeSchemas(root))

/** One clear sentence for what the user can mend; a stack trace only for what we must. */
function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  if (error instanceof TrialError && error.exitCode !== 1) {
    note(error.message)
    if (error.hint !== undefined) note(`→ ${error.hint}`)
    process.exitCode = error.exitCode
    return
  }
  tellFault(error)
}

const lostOutput = outliveReaders()
try {
  await program.parseAsync()
} catch (error) {
  fail(error)
}
await flushed()
const lost = lostOutput()
if (lost !== undefined) {
  note(`stdout could not be written: ${lost.message}`)
  process.exitCode ||= 3
}
// All is written: no socket that a server keeps open holds the prompt.
process.exit()
