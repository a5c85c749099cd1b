/** Passwords of this process, so that no message, log or report can carry one. */

/** Shorter ones occur in ordinary words: they are replaced as whole words only. */
const shortestAnywhere = 6
const known = new Set<string>()

export function keepSecret(secret: string): void {
  if (secret === '') return
  for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) known.add(form)
}

export function redact(text: string): string {
  let clean = text
  // The longest first: one password may be a part of another.
  for (const secret of [...known].sort((a, b) => b.length - a.length)) {
    if (secret.length >= shortestAnywhere) clean = clean.replaceAll(secret, '•••')
    else clean = clean.replaceAll(new RegExp(`(?<![\\w])${secret.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w])`, 'g'), '•••')
  }
  return clean
}

/** Fields of a result that hold what a server, a driver or the system said. Names and numbers are never touched: a password may be a word like any other. */
const freeText = new Set([
  'failure',
  'fault',
  'reason',
  'reasons',
  'bottleneck',
  'version',
  'origin',
  'effective',
  'detail',
  'parameters',
  'expected',
  'got',
  'plan',
])

/** A copy of the value whose free texts carry no password. */
export function redactFreeText<T>(value: T, key = ''): T {
  if (known.size === 0) return value
  if (typeof value === 'string') return (freeText.has(key) ? redact(value) : value) as T
  if (Array.isArray(value)) return value.map((each) => redactFreeText(each as unknown, key)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redactFreeText(each as unknown, name)])) as T
}
