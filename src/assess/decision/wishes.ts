/** Wishes on the command line: several names with their values, and what is wrong with them in one sentence. */
import type { z } from 'zod'
import { TrialError } from '../../errors.ts'

export function namedValues(option: string, text: string | undefined): [string, string][] {
  return (text === undefined ? [] : text.split(',')).map((each) => {
    const [name, ...rest] = each.split('=')
    if (name === undefined || rest.length !== 1) throw wrong(`${option} ${each}: expected name=value, several separated by commas`)
    return [name.trim(), (rest[0] as string).trim()]
  })
}

export function parseWish(option: string, text: string, type: z.ZodType<number>): number {
  const parsed = type.safeParse(text)
  if (parsed.success) return parsed.data
  throw wrong(`${option} ${text}: ${parsed.error.issues[0]?.message ?? 'not understood'}`)
}

export const wrong = (message: string, hint?: string) =>
  new TrialError('bad-option', message, { exitCode: 2, ...(hint === undefined ? {} : { hint }) })
