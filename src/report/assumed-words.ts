/** What a number that is assumed stands for, in words; its path is for who puts another one in. */

/** By the last word of a path; `of`: what stands before it. */
const words: Record<string, string | ((of: string) => string)> = {
  growthSpread: (of) => `how fast ${of.replace(/^load\./, 'the calls of ')} ${of.startsWith('load.') ? 'grow' : 'grows'} beside what was stated`,
  peakSpread: 'how high the peak is beside what was stated',
  hostFactor: 'how fast a core of the cloud is beside one of the bench',
  doubling: (of) => `what ${of} gains from twice the cores in a server`,
  replicaWork: (of) => `how much of a write a copy of ${of} does again`,
  cacheOfRest: (of) => `how much of a server’s memory keeps rows of ${of}`,
  fixedMemoryGib: (of) => `what memory ${of} takes before any row`,
  diskReserve: (of) => `what disk ${of} takes beside its rows`,
  failoverSeconds: (of) => `how long writes to ${of} stand still when a server is lost`,
  lostSeconds: (of) => `how many seconds of writes to ${of} are lost with a server`,
  hotSpread: 'how many of the rows are asked for often',
  rowBytesSpread: 'how many bytes a row takes among all rows of production',
  archivedSize: 'how many bytes an archived row takes, beside those of its values',
  rowsExponent: 'how much longer a call takes over more rows',
  latencyExponent: 'how much longer a call takes under more load',
  diskFill: 'how full a volume may be',
  memoryFill: 'how full a store in memory may be',
  ioHeadroom: 'how much I/O a volume is bought for beyond what is asked',
  diskRead: 'how long a read from a volume takes',
  volumeFlush: 'how long a volume takes to make a write durable',
  zoneHop: 'how long a hop between zones takes',
  readsAcrossZones: 'how many reads come from another zone',
  nodeAvailability: 'how much of the time a server is up',
  failuresPerYear: 'how often a server fails',
  shardHours: 'how many hours a shard takes to run',
  divideHours: 'how many hours it takes to divide rows in the application',
  hoursPerKind: 'how many hours a kind of server takes to run',
  hoursPerNode: 'how many hours a server takes to run',
  engineerHour: 'what an hour of an engineer costs',
  secondSystemHours: 'how many hours a second system takes to run',
  backupCopies: 'how many full copies are kept',
  logDays: 'for how many days the log is kept',
  logShare: 'how much of what is written is log',
  migrationEffort: 'how much work a change of servers is',
  partitionBytes: 'how large a table may be before it is divided',
  cacheFill: 'how full a cache may be',
  cacheEntryBytes: 'how many bytes an entry of a cache takes beside its value',
  cacheCallsPerSecond: 'how many calls a second a cache server answers',
  searchMemory: 'how much memory a search server takes for its text',
  searchLeastGib: 'how small a search server may be',
}

/** The path alone, where it has no words. */
export function inWords(path: string): string {
  const [, of = '', name = ''] = /^\w+\.(?:(.*)\.)?(\w+)$/.exec(path) ?? []
  const said = words[name]
  return said === undefined ? path : typeof said === 'string' ? said : said(of)
}

/** With what `--assume` calls it. */
export const toldOf = (path: string) => (inWords(path) === path ? path : `${inWords(path)} (${path})`)
