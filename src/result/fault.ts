/** Why a document is no result, in a sentence: where in it, and what is wrong there. */
import type { z } from 'zod'

/** `document`: what the schema refused. */
export function faultOf({ issues: [issue] }: z.ZodError, document: unknown): string {
  if (issue === undefined) return 'it is none'
  const place = issue.path.join('.') || 'the document'
  return `${place}: ${valueAt(document, issue.path) === undefined ? 'it is missing' : causeOf(issue)}`
}

function causeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `this dbtrial knows no ${issue.keys.map((key) => `"${key}"`).join(', ')} there`
  if (issue.code === 'invalid_union') return 'it is nothing that this dbtrial knows'
  return issue.message.replace(/^(Invalid input|Invalid option|Invalid string): /, '').replace(/^Too (big|small): /, '')
}

const valueAt = (document: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce((at, part) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined), document)
