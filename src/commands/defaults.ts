/** Defaults of options from `dbtrial.yaml` in the working directory: an option that is given, or its `DBTRIAL_` variable, goes before. */
import { existsSync, readFileSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { parseDocument } from 'yaml'
import { messageOf, TrialError } from '../errors.ts'

const fileName = 'dbtrial.yaml'
/** What may have a default: never what opens a door, such as --allow-remote, nor an endpoint with its password. */
export const withDefaults = ['candidates', 'effort', 'provision', 'client', 'seed', 'out', 'data', 'fail-on']
export const variableOf = (name: string) => `DBTRIAL_${name.toUpperCase().replaceAll('-', '_')}`
export const defaultsText = `
Defaults: ${withDefaults.join(', ')} may stand in ${fileName} in the working directory (effort: smoke) or in
DBTRIAL_ variables (${variableOf('fail-on')}=answers); an option that is given goes before the variable, and that before the file.`

/** @throws TrialError, exit code 2, naming the file. */
export function applyDefaults(command: Command): void {
  if (!existsSync(fileName)) return
  const options = new Map(command.options.map((option) => [option.name(), option]))
  for (const [name, value] of Object.entries(readDefaults())) {
    const option = options.get(name)
    if (option === undefined || !['default', undefined].includes(command.getOptionValueSource(option.attributeName()))) continue
    checkChoice(option, name, value)
    command.setOptionValueWithSource(option.attributeName(), value, 'config')
  }
}

function readDefaults(): Record<string, string> {
  let text: string
  try {
    text = readFileSync(fileName, 'utf8')
  } catch (error) {
    throw wrong(messageOf(error))
  }
  const document = parseDocument(text, { schema: 'failsafe' })
  const [problem] = document.errors
  if (problem !== undefined) throw wrong(problem.message.split('\n')[0] as string)
  const found: unknown = document.toJS()
  if (found === null || found === '') return {}
  if (typeof found !== 'object' || Array.isArray(found)) throw wrong('expected options with their values, such as effort: smoke')
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => {
      if (!withDefaults.includes(name)) throw wrong(`${name.slice(0, 40)}: no such default`, `defaults are ${withDefaults.join(', ')}`)
      const text = Array.isArray(value) ? value.join(',') : value
      if (typeof text !== 'string' || text === '') throw wrong(`${name}: expected a value`)
      return [name, text]
    }),
  )
}

function checkChoice({ argChoices }: Option, name: string, value: string): void {
  if (argChoices !== undefined && !argChoices.includes(value)) throw wrong(`${name}: ${value.slice(0, 60)} is none of ${argChoices.join(', ')}`)
}

const wrong = (what: string, hint?: string) =>
  new TrialError('bad-defaults', `${fileName}: ${what}`, { exitCode: 2, ...(hint === undefined ? {} : { hint }) })
