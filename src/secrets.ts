/** Passwords of this process, so that no message, log or report can carry one. */

const shortest = 3
const known = new Set<string>()

export function keepSecret(secret: string): void {
  if (secret.length < shortest) return
  for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) known.add(form)
}

export function redact(text: string): string {
  let clean = text
  for (const secret of known) clean = clean.replaceAll(secret, '•••')
  return clean
}
