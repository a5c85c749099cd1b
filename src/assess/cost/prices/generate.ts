/** Makes the catalogues out of the extracts beside it: node bin/node24.mjs src/assess/cost/prices/generate.ts writes them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Row = Record<string, string>
const here = fileURLToPath(new URL('.', import.meta.url))
const extract = (name: string) => rowsOf(readFileSync(join(here, 'extracts', `${name}.csv`), 'utf8'))
const numberIn = (text: string | undefined) => (text === undefined || text === '' ? undefined : Number(text))

/** Text of each catalogue's file, by its name. */
export function generateCatalogues(): Map<string, string> {
  const regions = extract('volumes').map((volume) => [`aws-${volume.region}.json`, serversIn(volume)] as const)
  const providers = [...new Set(extract('offers').map((offer) => `${offer.provider}|${offer.region}`))]
  const managed = ['managed.json', providers.map((each) => offersOf(...(each.split('|') as [string, string])))] as const
  return new Map([...regions, managed].map(([name, content]) => [name, `${JSON.stringify(content, null, 1)}\n`]))
}

const usual = 'us-east-1'

/** Sizes of a family cost by their vCPUs: within 0.1 % of the list but for i4i.large, which is rounded up by 0.2 %. */
function serversIn(volume: Row) {
  const region = volume.region as string
  const listed = region === usual ? 'ec2-list' : 'ec2-regions'
  const families = extract('families')
  const rates = new Map(extract('rates').map((row) => [row.family, numberIn(row[region])]))
  const complete = extract('volumes').find((each) => each.region === usual) as Row
  const stands = Object.keys(complete).filter((field) => volume[field] === '')
  const price = (field: string) => Number(volume[field] === '' ? complete[field] : volume[field])
  const unlimited = families.flatMap(({ family, diskGibPerVcpu }) =>
    diskGibPerVcpu === '' && volumeIopsOf(family as string, 'large') === undefined ? [family as string] : [],
  )
  const unpriced = families.filter(({ family }) => rates.get(family) === undefined).map(({ family }) => family)
  return {
    provider: 'AWS EC2',
    region,
    currency: 'USD',
    date: sources().get(listed)?.date ?? null,
    source: sources().get(listed)?.from,
    sources: Object.fromEntries([...sources()].filter(([id]) => used.has(id))),
    missing: [
      ...(unpriced.length === 0 ? [] : [`the families ${unpriced.join(', ')}`]),
      ...(stands.length === 0 ? [] : [`${stands.map((field) => namesOfPrices[field]).join(', ')}: those of ${usual} stand for them`]),
      ...(unlimited.length === 0 ? [] : [`reads and writes that servers of ${unlimited.join(', ')} sustain to their volumes`]),
      'bytes a second that servers sustain to their volumes',
      'terms of other families than m6a',
      'disks of i7i, i7ie and i8ge, which are left out',
      'traffic to the internet: no scenario says what leaves the cloud',
    ],
    instances: families.flatMap((family) => shapesOf(family, rates.get(family.family), listed)),
    blockStorage: {
      name: 'gp3',
      usdPerGbMonth: price('usdPerGbMonth'),
      freeIops: 3000,
      usdPerIopsMonth: price('usdPerIopsMonth'),
      freeMbPerSecond: 125,
      usdPerMbPerSecondMonth: price('usdPerMbPerSecondMonth'),
      mostIops: 80_000,
      mostGb: 65_536,
      source: 'gp3-limits',
    },
    snapshotUsdPerGbMonth: price('snapshotUsdPerGbMonth'),
    objectStorageUsdPerGbMonth: price('objectStorageUsdPerGbMonth'),
    transferUsdPerGb: { betweenZones: price('betweenZones'), betweenRegions: price('betweenRegions') },
    sourceOf: {
      blockStorage: volume.source,
      snapshots: 'snapshots',
      objectStorage: complete.source,
      transfer: complete.source,
    },
    terms: extract('terms').map(({ what, years, ofOnDemand, source }) => ({ years: Number(years), ofOnDemand: Number(ofOnDemand), what, source })),
  }
}

const used = new Set([
  'ec2-list',
  'ec2-regions',
  'bandwidth',
  'disks',
  'gp3-limits',
  'gp3-tables',
  'snapshots',
  'terms-table',
  'volume-iops',
  'given',
])
const namesOfPrices: Record<string, string> = {
  usdPerIopsMonth: 'I/O of volumes',
  usdPerMbPerSecondMonth: 'throughput of volumes',
  snapshotUsdPerGbMonth: 'snapshots',
  objectStorageUsdPerGbMonth: 'object storage',
  betweenZones: 'transfer between zones',
  betweenRegions: 'transfer between regions',
}
const vcpusOf = (size: string) => (size === 'large' ? 2 : 4 * Number(size.replace('xlarge', '') || 1))

function shapesOf(
  { family, sizes, memoryGibPerVcpu, diskGibPerVcpu, networkMbitPerVcpu, networkMbitMost }: Row,
  usdPerXlarge: number | undefined,
  source: string,
) {
  if (usdPerXlarge === undefined) return []
  const disk = numberIn(diskGibPerVcpu)
  return (sizes as string).split(' ').map((size) => {
    const vcpus = vcpusOf(size)
    return {
      name: `${family}.${size}`,
      vcpus,
      memoryGib: vcpus * Number(memoryGibPerVcpu),
      usdPerHour: Number(((usdPerXlarge * vcpus) / 4).toFixed(5)),
      ...(disk === undefined ? {} : { localDiskGib: Math.floor(vcpus * disk) }),
      networkMbitPerSecond: Math.min(vcpus * Number(networkMbitPerVcpu), Number(networkMbitMost)),
      volumeIops: volumeIopsOf(family as string, size),
      source,
    }
  })
}

/** What all volumes of a server do together, sustained; undefined: the extract does not have it. */
function volumeIopsOf(family: string, size: string): number | undefined {
  const row = extract('volume-iops').find(({ families }) => (families as string).split(' ').includes(family))
  return numberIn(row?.[size])
}

function offersOf(provider: string, region: string) {
  const offers = extract('offers').filter((offer) => offer.provider === provider && offer.region === region)
  const shapes = extract('managed-shapes')
  const ids = new Set([
    ...offers.map((offer) => offer.source),
    ...shapes.filter((shape) => offers.some((offer) => offer.id === shape.offer)).map((shape) => shape.source),
    ...(shapes.some((shape) => offers.some((offer) => offer.id === shape.offer) && ofManaged(shape) !== undefined) ? ['volume-iops'] : []),
  ])
  return {
    provider,
    region,
    currency: 'USD',
    date: null,
    source: 'each offer names its own',
    sources: Object.fromEntries([...sources()].filter(([id]) => ids.has(id))),
    managed: offers.map((offer) => ({
      service: offer.service,
      engines: (offer.engines as string).split(' ').filter((engine) => engine !== ''),
      per: offer.per,
      shapes: shapes.filter((shape) => shape.offer === offer.id).map(managedShape),
      storageUsdPerGbMonth: numberIn(offer.usdPerGbMonth) ?? null,
      storageIncluded: offer.storageIncluded === 'true' ? true : undefined,
      provisionedIo: offer.freeIops === '' ? undefined : { freeIops: Number(offer.freeIops), usdPerIopsMonth: Number(offer.usdPerIopsMonth) },
      backupUsdPerGbMonth: numberIn(offer.backupUsdPerGbMonth),
      backupFreeShareOfStorage: numberIn(offer.backupFreeShareOfStorage),
      requests: requestsOf(offer),
      missing: offer.missing === '' ? [] : (offer.missing as string).split('; '),
      source: offer.source,
    })),
  }
}

function managedShape(row: Row) {
  return {
    name: row.name,
    vcpus: Number(row.vcpus),
    memoryGib: Number(row.memoryGib),
    usdPerHour: numberIn(row.usdPerHour) ?? null,
    oneYearUsdPerHour: numberIn(row.oneYearUsdPerHour),
    threeYearsUsdPerHour: numberIn(row.threeYearsUsdPerHour),
    volumeIops: ofManaged(row),
    ...(row.burstable === 'true' ? { burstable: true } : {}),
    ...(row.shardable === 'false' ? { shardable: false } : {}),
    source: row.source,
  }
}

/** RDS runs on servers of the list and on their volumes; what Aurora stores lies elsewhere. */
function ofManaged({ offer, name }: Row): number | undefined {
  const [, family, size] = /^rds-\S+ db\.(\w+)\.(\w+)$/.exec(`${offer} ${name}`) ?? []
  return family === undefined || size === undefined ? undefined : volumeIopsOf(family, size)
}

/** Units of both services: 1 KB of a write, 4 KB of a strong read, half for what may be old, double in a transaction, which Keyspaces lacks. */
function requestsOf(offer: Row) {
  if (offer.requestsReads === '') return undefined
  return {
    usdPerMillionReads: Number(offer.requestsReads),
    usdPerMillionWrites: Number(offer.requestsWrites),
    readUnitBytes: 4096,
    writeUnitBytes: 1024,
    eventualFactor: 0.5,
    transactionFactor: offer.id === 'keyspaces' ? 1 : 2,
    ...(offer.provisionedReads === ''
      ? {}
      : { provisioned: { usdPerReadUnitHour: Number(offer.provisionedReads), usdPerWriteUnitHour: Number(offer.provisionedWrites) } }),
  }
}

const sources = () =>
  new Map(extract('sources').map(({ id, date, from }) => [id as string, { date: date === '' ? null : (date as string), from: from as string }]))

/** Fields may be quoted where they hold a comma; none holds a quote. */
function rowsOf(text: string): Row[] {
  const [head, ...lines] = text.trimEnd().split('\n').map(fieldsOf)
  return lines.map((line) => Object.fromEntries((head as string[]).map((name, at) => [name, line[at] ?? ''])))
}

const fieldsOf = (line: string) => [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((match) => match[1] ?? match[2] ?? '')

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const [name, text] of generateCatalogues()) writeFileSync(join(here, name), text)
