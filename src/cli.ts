/** The command line: parses it, calls the parts, prints results to stdout and everything else to stderr, sets exit codes. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, Option } from 'commander'
import { assess } from './assess/assess.ts'
import { planFor } from './bench.ts'
import { calibrate } from './commands/calibrate.ts'
import { compareCommand } from './commands/compare.ts'
import { doctor } from './commands/doctor.ts'
import { init } from './commands/init.ts'
import { note, print } from './commands/output.ts'
import { exitCodeOf, type RunOptions, run } from './commands/run.ts'
import { engineNamed } from './engines/registry.ts'
import { TrialError } from './errors.ts'
import { allOperations, deriveModel } from './model/derive.ts'
import { fetchPackage } from './provision/fetch.ts'
import { toMarkdown } from './report/markdown.ts'
import { makeDocument, writeReport } from './report/report.ts'
import { readResult, resultJsonSchema } from './result.ts'
import { dialects } from './scenario/draft.ts'
import { effortOf } from './scenario/plan.ts'
import { readScenario } from './scenario/read.ts'
import type { Scenario } from './scenario/scenario.ts'
import { scenarioJsonSchema } from './scenario/schema.ts'
import { modelText, planText, summaryText } from './terminal/tables.ts'
import { version } from './version.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = new Command()
  .name('dbtrial')
  .description('Puts candidate databases on trial for one application: real servers, verified answers, honest clocks.')
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) })
  .showSuggestionAfterError()

const collect = (text: string, before: string[]) => [...before, text]
const efforts = new Option('--effort <effort>', 'how much time to spend').choices(['smoke', 'quick', 'standard', 'thorough'])

program
  .command('run')
  .description('measure the candidates of a scenario and write a report')
  .argument('<scenario>', 'name in scenarios/ or path of a YAML file')
  .option('--candidates <names>', 'only these candidates, separated by commas')
  .addOption(efforts)
  .addOption(new Option('--provision <kind>', 'where servers come from').choices(['auto', 'container', 'local', 'external']).default('auto'))
  .addOption(new Option('--client <kind>', 'what the replay sends through').choices(['wire', 'driver']).default('wire'))
  .option('--endpoint <name=url>', 'a server that runs already, for one candidate; may be repeated', collect, [])
  .option('--allow-remote', 'load servers of other machines, too')
  .option('--seed <number>', "another seed than the scenario's")
  .option('--out <directory>', "parent of the report's directory", join(root, 'reports'))
  .option('--data <directory>', "parent of the servers' data directories; must be on a disk")
  .option('--resume <directory>', 'continue the interrupted run whose report lies there')
  .option('--allow-native', 'run the statements that the scenario itself brings')
  .option('--json', 'print the result as JSON, and nothing else')
  .option('--quiet', 'no progress')
  .action((name: string, options: RunOptions) => run(prepare(name, options), options))

program
  .command('init')
  .description('write a commented scenario to start from: by flags, by answers on a terminal, or from CREATE TABLE statements')
  .argument('<name>', 'name of the scenario')
  .option('--entity <name=rows>', 'an entity and its rows in production, such as customer=2M; may be repeated', collect, [])
  .option('--summary <text>', 'one sentence')
  .option('--peak <factor>', 'peak over average load, such as 3x')
  .addOption(new Option('--durability <durability>', 'whether an acknowledged write survives a crash').choices(['fsync', 'relaxed']))
  .option('--budget <amount>', 'such as "4000 USD/month"')
  .option('--candidates <names>', 'engines, separated by commas')
  .option('--from-ddl <file>', 'SQL file with CREATE TABLE statements')
  .addOption(new Option('--dialect <dialect>', 'of that file').choices(dialects).default('postgresql'))
  .option('--dir <directory>', 'where to write it', join(root, 'scenarios'))
  .action(init)

program
  .command('calibrate')
  .description("the harness's own limits on this machine, in a minute")
  .argument('[scenario]', 'whose mix is drawn', 'ecommerce')
  .option('--json', 'print JSON')
  .action((name: string, options: { json?: boolean }) => calibrate(readScenario(name), options))

program
  .command('validate')
  .description('check scenarios; nothing starts')
  .argument('<scenario...>', 'names in scenarios/ or paths')
  .action((names: string[]) => {
    const problems: string[] = []
    for (const name of names) {
      try {
        const scenario = readScenario(name)
        checkCandidates(scenario)
        for (const warning of planFor(scenario, scenario.bench.effort).warnings) note(`${name}: warning: ${warning}`)
        print(`${name}: valid, ${scenario.entities.length} entities, ${scenario.operations.length} operations`)
      } catch (error) {
        if (!(error instanceof TrialError)) throw error
        problems.push(error.message)
      }
    }
    if (problems.length > 0) throw new TrialError('scenario-invalid', problems.join('\n'), { exitCode: 2 })
  })

program
  .command('plan')
  .description('what a run would load and measure, what is derived, how long it takes')
  .argument('<scenario>')
  .option('--candidates <names>', 'only these candidates, separated by commas')
  .addOption(efforts)
  .option('--seed <number>', "another seed than the scenario's")
  .option('--json', 'print JSON')
  .action((name: string, options: RunOptions) => {
    const scenario = prepare(name, options)
    const effort = effortOf(scenario.bench, options.effort)
    const plan = planFor(scenario, effort)
    const models = scenario.candidates.map((candidate) => ({
      candidate: candidate.name,
      model: deriveModel(engineNamed(candidate.engine).family, scenario),
    }))
    print(
      options.json
        ? JSON.stringify(
            { scenario, plan, excuses: models.flatMap((each) => each.model.excuses.map((excuse) => ({ ...excuse, engine: each.candidate }))) },
            null,
            2,
          )
        : planText(scenario, plan, models),
    )
  })

program
  .command('models')
  .description('the physical model that an engine gets: definitions, statements, reasons')
  .argument('<scenario>')
  .requiredOption('--engine <name>', 'engine')
  .action((name: string, { engine: engineName }: { engine: string }) => {
    const scenario = readScenario(name)
    const engine = engineNamed(engineName)
    const model = deriveModel(engine.family, scenario)
    print(modelText(engine.compile(model, allOperations(scenario), scenario, scenario.requirements.durability)))
  })

program
  .command('doctor')
  .description('what would run on this machine, and the fix for what would not')
  .option('--data <directory>', "parent of the servers' data directories")
  .option('--json', 'print JSON')
  .action(doctor)

program
  .command('assess')
  .description('assess a saved result again, offline')
  .argument('<result>', 'path of a result.json')
  .option('--json', 'print JSON')
  .action((path: string, options: { json?: boolean }) => {
    const result = readResult(path)
    const assessment = assess(result)
    print(options.json ? JSON.stringify(assessment, null, 2) : summaryText(result, assessment))
    process.exitCode = exitCodeOf(result, assessment, false)
  })

program
  .command('compare')
  .description('compare two results of one scenario: faster, slower or tie; exit code 99 on a regression')
  .argument('<baseline>', 'path of a result.json')
  .argument('<result>', 'path of a result.json')
  .option('--tolerance <share>', 'how much slower is no regression', '25%')
  .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json', 'md', 'junit']).default('text'))
  .action(compareCommand)

program
  .command('report')
  .description('write the report of a saved result again, offline')
  .argument('<result>', 'path of a result.json')
  .addOption(new Option('--format <format>', 'print this instead of writing files').choices(['md', 'json']))
  .action(async (path: string, { format }: { format?: 'md' | 'json' }) => {
    const result = readResult(path)
    const assessment = assess(result)
    if (format === 'json') print(JSON.stringify(assessment, null, 2))
    else if (format === 'md') print(toMarkdown(makeDocument(result, assessment, [])))
    else for (const written of Object.values(await writeReport(dirname(path), result))) print(written)
  })

program
  .command('fetch')
  .description("fetch an engine's server package and print where it lies")
  .argument('<engine>')
  .action(async (name: string) => {
    const { server } = engineNamed(name)
    const home = await fetchPackage(server.package, note, new AbortController().signal)
    print(home.slice(0, home.lastIndexOf('/package') + '/package'.length))
  })

program
  .command('schemas', { hidden: true })
  .description('write the JSON Schemas of scenarios and results')
  .action(() => {
    writeFileSync(join(root, 'scenarios/scenario.schema.json'), scenarioJsonSchema())
    writeFileSync(join(root, 'src/result.schema.json'), resultJsonSchema())
  })

function prepare(name: string, options: Pick<RunOptions, 'candidates' | 'seed'>): Scenario {
  const scenario = readScenario(name)
  if (options.seed !== undefined) {
    if (!/^\d{1,14}$/.test(options.seed))
      throw new TrialError('bad-seed', `--seed ${options.seed}: expected a whole number below 10^14`, { exitCode: 2 })
    scenario.seed = Number(options.seed)
  }
  if (options.candidates !== undefined) {
    const names = options.candidates.split(',').map((each) => each.trim())
    const known = new Map(scenario.candidates.map((candidate) => [candidate.name, candidate]))
    scenario.candidates = names.map(
      (each) => known.get(each) ?? { name: each, engine: engineNamed(each).name, durability: scenario.requirements.durability },
    )
  }
  checkCandidates(scenario)
  return scenario
}

function checkCandidates(scenario: Scenario): void {
  for (const candidate of scenario.candidates) engineNamed(candidate.engine)
}

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
  note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  note('→ this is a fault of dbtrial: please report it with the lines above')
  process.exitCode = 1
}

try {
  await program.parseAsync()
} catch (error) {
  fail(error)
}
