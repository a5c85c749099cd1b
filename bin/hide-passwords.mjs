// Passwords of endpoints leave the arguments, which every user of the machine can read, for the environment, which only its owner can.
// Plain JavaScript, as the launcher is.

/** The arguments without passwords; `environment` then holds them, as it would hold those that a user put there. */
export function hidePasswords(arguments_, environment) {
  const hidden = new Set()
  const shown = arguments_.map((argument, at) => {
    const found = endpointIn(argument, arguments_[at - 1])
    if (found === undefined) return argument
    const { before, name, url } = found
    try {
      const parsed = new URL(url)
      const password = decodeURIComponent(parsed.password)
      const variable = `DBTRIAL_PASSWORD_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
      // Two candidates of one variable, such as pg-1 and pg_1: the second keeps its own.
      if (password === '' || hidden.has(variable)) return argument
      hidden.add(variable)
      environment[variable] = password
      parsed.password = ''
      return `${before}${parsed.href}`
    } catch {
      return argument // Whoever reads it next says what is wrong with it.
    }
  })
  // A title takes the place of this process's own arguments.
  if (hidden.size > 0) process.title = 'dbtrial'
  return shown
}

/** `--endpoint NAME=URL` and `--from-NAME URL`, in one argument or in two. */
function endpointIn(argument, previous) {
  const [, before, name, url] =
    /^(--from-([a-z]+)=)(.*)$/s.exec(argument) ??
    /^((?:--endpoint=)([^=]+)=)(.*)$/s.exec(argument) ??
    (previous === '--endpoint' ? /^(([^=]+)=)(.*)$/s.exec(argument) : null) ??
    []
  if (url !== undefined) return { before, name, url }
  const [, product] = /^--from-([a-z]+)$/.exec(previous ?? '') ?? []
  return product === undefined ? undefined : { before: '', name: product, url: argument }
}
