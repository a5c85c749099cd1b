/** Price catalogues: what providers publish, with region, date and source; what is not published stays named as missing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { TrialError } from '../../errors.ts'

const usd = z.number().positive()
const source = z.string().optional().describe('a name in `sources`')
const shape = z.strictObject({
  name: z.string(),
  vcpus: z.number().positive(),
  memoryGib: z.number().positive(),
  usdPerHour: usd.nullable().describe('null: not published in this catalogue'),
  oneYearUsdPerHour: usd.optional().describe('by the hour of a term of one year'),
  threeYearsUsdPerHour: usd.optional(),
  localDiskGib: z.number().positive().optional(),
  networkMbitPerSecond: z.number().positive().optional().describe('sustained, at least'),
  volumeIops: z.number().positive().optional().describe('reads and writes per second of all its volumes, sustained'),
  burstable: z.literal(true).optional().describe('true: its CPU is lent for minutes and not sustained, so no plan takes it'),
  shardable: z.literal(false).optional().describe('false: the provider does not shard clusters of this size'),
  source,
})
const catalogueSchema = z.strictObject({
  provider: z.string(),
  region: z.string(),
  currency: z.literal('USD'),
  date: z.iso.date().nullable().describe('null: the source has none'),
  source: z.string(),
  sources: z
    .record(z.string(), z.strictObject({ date: z.iso.date().nullable(), from: z.string() }))
    .default({})
    .describe('of fields that name one'),
  missing: z.array(z.string()).default([]).describe('what was looked for and not found'),
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
      source,
    })
    .optional(),
  snapshotUsdPerGbMonth: usd.optional().describe('of volumes, of what changed since the one before'),
  objectStorageUsdPerGbMonth: usd.optional(),
  transferUsdPerGb: z.strictObject({ betweenZones: usd, betweenRegions: usd }).optional(),
  sourceOf: z
    .strictObject({ blockStorage: source, snapshots: source, objectStorage: source, transfer: source })
    .default({})
    .describe('of the prices beside those of servers, where it is not that of the catalogue'),
  terms: z
    .array(z.strictObject({ years: z.union([z.literal(1), z.literal(3)]), ofOnDemand: z.number().positive().max(1), what: z.string(), source }))
    .default([])
    .describe('what servers cost by the hour over their price on demand, where it is bound to a term'),
  managed: z
    .array(
      z.strictObject({
        service: z.string(),
        engines: z.array(z.string()).describe('measured engines that it runs; none: priced, not measured'),
        per: z.enum(['node', 'cluster']).describe('cluster: the price is that of a replica set'),
        shapes: z.array(shape),
        storageUsdPerGbMonth: usd.nullable(),
        storageIncluded: z.literal(true).optional().describe('the price of a size includes as much storage as it has by default'),
        provisionedIo: z.strictObject({ freeIops: z.number(), usdPerIopsMonth: usd }).optional(),
        backupUsdPerGbMonth: usd.optional(),
        backupFreeShareOfStorage: z.number().positive().optional(),
        requests: z
          .strictObject({
            usdPerMillionReads: usd,
            usdPerMillionWrites: usd,
            readUnitBytes: z.number().positive(),
            writeUnitBytes: z.number().positive(),
            eventualFactor: z.number().positive().describe('of a read that may be old, over one that may not'),
            transactionFactor: z.number().positive(),
            provisioned: z
              .strictObject({ usdPerReadUnitHour: usd, usdPerWriteUnitHour: usd })
              .optional()
              .describe('of a unit a second, kept ready for an hour'),
          })
          .optional()
          .describe('a service without servers: what it charges by'),
        missing: z.array(z.string()).default([]),
        source,
      }),
    )
    .default([]),
})
export type Catalogue = z.infer<typeof catalogueSchema>
export type Shape = z.infer<typeof shape>
export type ManagedOffer = Catalogue['managed'][number]
export type RequestPrices = NonNullable<ManagedOffer['requests']>
export type BlockStorage = NonNullable<Catalogue['blockStorage']>

/** Where providers say GB they bill 2^30 bytes. */
export const bytesPerBilledGb = 2 ** 30
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
        hint: 'src/assess/cost/prices/ has examples',
        exitCode: 2,
      })
    }
    return (Array.isArray(parsed) ? parsed : [parsed]).map((each) => {
      const checked = catalogueSchema.safeParse(each)
      if (checked.success) return checked.data
      const [issue] = checked.error.issues
      throw new TrialError('prices-invalid', `${path} is no price catalogue: ${issue?.path.join('.') || 'document'}: ${issue?.message}`, {
        hint: 'src/assess/cost/prices/ has examples',
        exitCode: 2,
      })
    })
  })
}

/** Servers and disks of the first of the regions that has prices; of the first catalogue where none has. */
export function serversOf(catalogues: readonly Catalogue[], regions: readonly string[]): Catalogue | undefined {
  const complete = catalogues.filter((each) => each.instances.length > 0 && each.blockStorage !== undefined)
  const [own] = regions.flatMap((region) => complete.find((each) => each.region === region) ?? [])
  return own ?? complete.find((each) => each.region === usual) ?? complete[0]
}
/** Where no region is asked for, or none of those has prices: the one whose list is the most complete. */
const usual = 'us-east-1'

/** Catalogues that a plan reads: one of servers, and all of managed offers. */
export function consulted(catalogues: readonly Catalogue[], regions: readonly string[]): Catalogue[] {
  const servers = serversOf(catalogues, regions)
  return catalogues.filter((each) => each === servers || each.managed.length > 0)
}

/** What a reader must know of a catalogue's age, place and gaps; nothing where it is fresh, whole and of one of the regions. */
export function caveats(catalogue: Catalogue, regions: string[], today: Date): string[] {
  const name = `${catalogue.provider}, ${catalogue.region}`
  const found: string[] = []
  const undated = catalogue.managed.filter(({ source: own }) => own !== undefined && catalogue.sources[own]?.date === null)
  if (undated.length > 0) found.push(`prices of ${undated.map((each) => each.service).join(', ')} (${name}) have no date`)
  else if (catalogue.date === null && catalogue.managed.every((each) => each.source === undefined)) found.push(`prices of ${name} have no date`)
  for (const [what, date] of datesOf(catalogue, name)) {
    const days = Math.floor((today.getTime() - Date.parse(date)) / 86_400_000)
    if (days > staleAfterDays) found.push(`prices of ${what} are ${days} days old (${date})`)
  }
  if (catalogue.missing.length > 0) found.push(`prices of ${name} lack ${catalogue.missing.join('; ')}`)
  if (catalogue.region === unstated) return [...found, `prices of ${name}: which region they are of is not stated`]
  const elsewhere = regions.filter((region) => region !== catalogue.region)
  if (elsewhere.length > 0)
    found.push(
      catalogue.instances.length === 0
        ? `${elsewhere.join(', ')}: ${catalogue.provider} is priced as in ${catalogue.region}`
        : regions.includes(catalogue.region)
          ? `${elsewhere.join(', ')}: not priced beside ${catalogue.region}, where all servers are taken to stand`
          : `${elsewhere.join(', ')}: priced as ${catalogue.region} × 1.0–1.2, assumed`,
    )
  return found
}

function datesOf(catalogue: Catalogue, name: string): [string, string][] {
  const offers = catalogue.managed.flatMap(({ service, source: own }): [string, string][] => {
    const date = own === undefined ? undefined : catalogue.sources[own]?.date
    return date == null ? [] : [[`${service} (${name})`, date]]
  })
  return catalogue.date === null ? offers : [[name, catalogue.date], ...offers]
}
