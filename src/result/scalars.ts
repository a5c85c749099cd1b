/** What all parts of a result are made of. */
import { z } from 'zod'

/** Numbers stay where arithmetic on them ends and means something. */
export const number = z.number().min(-1e18).max(1e18)
export const positive = number.gt(0)
export const count = number.min(0)
export const share = count.max(1)
export const text = z.string()
/** Of an entity, a field and what is named after them. */
export const identifier = text.regex(/^[a-z][a-z0-9_]{0,80}$/)
/** No document has longer lists. */
export const maxParts = 10_000
export const nullable = <T extends z.ZodType>(type: T) => type.nullable()

/** An object whose further fields are kept, though no type tells of them: another dbtrial may have written them. */
export function open<T extends z.ZodRawShape>(shape: T): z.ZodObject<T>
export function open(shape: z.ZodRawShape): z.ZodObject {
  return z.looseObject(shape)
}
