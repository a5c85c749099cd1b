/** Price catalogues: what providers publish, with region, date and source; nothing is interpolated. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { TrialError } from '../errors.ts'

const usd = z.number().positive()
const shape = z.strictObject({
  name: z.string(),
  vcpus: z.number().positive(),
  memoryGib: z.number().positive(),
  usdPerHour: usd.nullable().describe('null: not published in this catalogue'),
  reservedUsdPerYear: usd.optional().describe('three-year term, by the year'),
  localDiskGib: z.number().positive().optional(),
  shardable: z.literal(false).optional().describe('false: the provider does not shard clusters of this size'),
})
const catalogueSchema = z.strictObject({
  provider: z.string(),
  region: z.string(),
  currency: z.literal('USD'),
  date: z.iso.date().nullable().describe('null: the source has none'),
  source: z.string(),
  instances: z.array(shape).default([]).describe('servers that the user runs databases on'),
  blockStorage: z
    .strictObject({
      name: z.string(),
      usdPerGbMonth: usd,
      freeIops: z.number(),
      usdPerIopsMonth: usd,
      freeMbPerSecond: z.number(),
      usdPerMbPerSecondMonth: usd,
      mostIops: z.number(),
      mostGb: z.number(),
    })
    .optional(),
  objectStorageUsdPerGbMonth: usd.optional(),
  transferUsdPerGb: z.strictObject({ betweenZones: usd, betweenRegions: usd }).optional(),
  managed: z
    .array(
      z.strictObject({
        service: z.string(),
        engines: z.array(z.string()).describe('measured engines that it runs; none: priced, not measured'),
        per: z.enum(['node', 'cluster']).describe('cluster: the price is that of a replica set'),
        shapes: z.array(shape),
        storageUsdPerGbMonth: usd.nullable(),
        backupUsdPerGbMonth: usd.optional(),
        requests: z
          .strictObject({
            usdPerMillionReads: usd,
            usdPerMillionWrites: usd,
            readUnitBytes: z.number().positive(),
            writeUnitBytes: z.number().positive(),
            eventualFactor: z.number().positive().describe('of a read that may be old, over one that may not'),
            transactionFactor: z.number().positive(),
          })
          .optional()
          .describe('a service without servers: what it charges by'),
      }),
    )
    .default([]),
})
export type Catalogue = z.infer<typeof catalogueSchema>
export type Shape = z.infer<typeof shape>
export type ManagedOffer = Catalogue['managed'][number]
export type RequestPrices = NonNullable<ManagedOffer['requests']>
export type BlockStorage = NonNullable<Catalogue['blockStorage']>

const staleAfterDays = 180
const unstated = 'unstated'
const directory = fileURLToPath(new URL('prices', import.meta.url))

/** The catalogues of this version, or those of a file that holds one or a list of them. */
export function readPrices(file?: string): Catalogue[] {
  const files =
    file === undefined
      ? readdirSync(directory)
          .filter((name) => name.endsWith('.json'))
          .map((name) => join(directory, name))
      : [file]
  return files.sort().flatMap((path) => {
    let parsed: unknown
    try {
      parsed = JSON.parse(readFileSync(path, 'utf8'))
    } catch (error) {
      throw new TrialError('prices-unreadable', `${path} cannot be read as a price catalogue: ${(error as Error).message}`, {
        hint: 'src/assess/prices/ has examples',
        exitCode: 2,
      })
    }
    return (Array.isArray(parsed) ? parsed : [parsed]).map((each) => {
      const checked = catalogueSchema.safeParse(each)
      if (checked.success) return checked.data
      const [issue] = checked.error.issues
      throw new TrialError('prices-invalid', `${path} is no price catalogue: ${issue?.path.join('.') || 'document'}: ${issue?.message}`, {
        hint: 'src/assess/prices/ has examples',
        exitCode: 2,
      })
    })
  })
}

/** What a reader must know of a catalogue's age and place; nothing where it is fresh and of one of the regions. */
export function caveats(catalogue: Catalogue, regions: string[], today: Date): string[] {
  const name = `${catalogue.provider}, ${catalogue.region}`
  const found: string[] = []
  if (catalogue.date === null) found.push(`prices of ${name} have no date`)
  else {
    const days = Math.floor((today.getTime() - Date.parse(catalogue.date)) / 86_400_000)
    if (days > staleAfterDays) found.push(`prices of ${name} are ${days} days old (${catalogue.date})`)
  }
  if (catalogue.region === unstated) return [...found, `prices of ${name}: which region they are of is not stated`]
  const elsewhere = regions.filter((region) => region !== catalogue.region)
  if (elsewhere.length > 0) found.push(`${elsewhere.join(', ')}: priced as ${catalogue.region} × 1.0–1.2, assumed`)
  return found
}
