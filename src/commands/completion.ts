/** `dbtrial completion SHELL`: a script that completes commands, options and their choices, made out of the commands themselves. */
import type { Command } from 'commander'
import { print } from './output.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

interface Completed {
  name: string
  about: string
  options: { flag: string; about: string; choices: readonly string[]; takesValue: boolean }[]
}

export function completion(program: Command, shell: Shell): void {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map(
      (command): Completed => ({
        name: command.name(),
        about: command.description(),
        options: command.options.flatMap(({ long, description, argChoices, required, optional }) =>
          long == null ? [] : [{ flag: long, about: description, choices: argChoices ?? [], takesValue: required || optional }],
        ),
      }),
    )
  print({ bash, zsh, fish }[shell](commands))
}

/** Values are files where nothing better is known; scenarios are files, too. */
function bash(commands: Completed[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words='${options.map(({ flag }) => flag).join(' ')}' ;;`)
  return `# eval "$(dbtrial completion bash)"
_dbtrial() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
${choicesOf(commands)
  .map(([flag, choices]) => `    ${flag}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`)
  .join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _dbtrial dbtrial`
}

/** zsh reads what bash completes. */
const zsh = (commands: Completed[]) =>
  `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands).replace('completion bash', 'completion zsh')}`

function fish(commands: Completed[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = commands.flatMap(({ name, about, options }) => [
    `complete -c dbtrial -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
    ...options.map(
      ({ flag, about: what, choices, takesValue }) =>
        `complete -c dbtrial -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -l ${flag.slice(2)}${choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : ''} -d ${quoted(what)}`,
    ),
  ])
  return ['# dbtrial completion fish | source', ...lines].join('\n')
}

function choicesOf(commands: Completed[]): [string, readonly string[]][] {
  const found = new Map<string, Set<string>>()
  for (const { options } of commands)
    for (const { flag, choices } of options) if (choices.length > 0) found.set(flag, new Set([...(found.get(flag) ?? []), ...choices]))
  return [...found].map(([flag, choices]) => [flag, [...choices]])
}
