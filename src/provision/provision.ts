/** What every provisioner gives: a running server under known limits, and the certainty that it goes away. */
import type { Endpoint, Engine, Limits } from '../engines/engine.ts'
import type { Usage } from '../host/processes.ts'
import type { Durability } from '../scenario/scenario.ts'
import type { Owner } from './owner.ts'

export interface Exit {
  code: number | null
  signal: string | null
  /** Last lines that the server wrote. */
  lastWords: string
}
/** The last of these lines, as one; without those that say where an error was thrown, which stand below what it says. */
export function endOf({ lastWords }: Exit, lines: number): string {
  const told = lastWords.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
  return told.slice(-lines).join(' · ')
}
export interface Enforced {
  cpu: 'cpuset' | 'configured' | 'unknown'
  memory: 'cgroup' | 'configured' | 'unknown'
}
/** What a container was made from. */
export interface Image {
  name: string
  id: string
  /** null: the image was built on this machine. */
  digest: string | null
}
export interface Instance extends AsyncDisposable {
  readonly kind: 'container' | 'local' | 'external'
  readonly endpoint: Endpoint
  readonly version: string
  /** Binary, image or address, for the result; never a password. */
  readonly origin: string
  readonly image: Image | null
  readonly enforced: Enforced
  readonly cores: number[]
  /** Binds the server to its cores: starting and loading may use all, measuring may not. */
  confine(): Promise<void>
  /** Lets it use all cores again, until it is confined the next time. */
  release(): Promise<void>
  /** null: nobody tells, because the server is not ours. */
  sample(): Promise<Usage | null>
  /** The same, cheap enough for four times a second; resolves with null where it costs too much. Lists what belongs to the server when it is called. */
  watch(): () => Usage | null
  /** Those of this machine that belong to the server; none where they are out of sight. */
  processes(): Promise<number[]>
  /** Stops the whole process tree without ending it. */
  pause(): Promise<void>
  resume(): Promise<void>
  kill(): Promise<void>
  /** Starts the server again on the data it left; absent where it is not ours to start. */
  restart?(): Promise<void>
  /** Keeps a copy of the data as the paused server left it on its disk; absent where the disk is not ours. */
  snapshot?(): Promise<void>
  /** Ends the server and starts it again on the copy. */
  restore?(): Promise<void>
  /** Of the server that runs now. */
  readonly exited: Promise<Exit>
  administer?(arguments_: string[]): Promise<string>
}

export interface Order {
  engine: Engine
  candidate: string
  /** Who this is for, as labels and names carry it. */
  owner: Owner
  limits: Limits
  durability: Durability
  cores: number[]
  /** Whether it is to ask for TLS and to know a role for the operations. */
  secured?: boolean
  /** Where data directories go; on a real disk. */
  directory: string
  signal: AbortSignal
  /** Absent: two minutes. */
  readyWithinMs?: number
  report: (message: string) => void
}

/** Starts servers of one kind. `Unobtainable` is an expected negative: what was tried and what would fix it. */
export interface Provisioner {
  readonly kind: Instance['kind']
  start(order: Order): Promise<Instance | Unobtainable>
  /** What would happen here, without starting or fetching anything. */
  probe(engine: Engine): Promise<Probe>
  /** Removes what runs left whose owner is provably gone. */
  sweep(signal: AbortSignal): Promise<void>
}
/** `later`: possible, once something is fetched. */
export interface Probe {
  usable: 'yes' | 'later' | 'no'
  what: string
  /** What would turn it into a yes. */
  fix: string | null
}
export interface Unobtainable {
  unobtainable: true
  tried: string[]
  mend: string
}

export function isUnobtainable(what: Instance | Unobtainable): what is Unobtainable {
  return 'unobtainable' in what
}

/** The first provisioner that can; what the others said is kept, and said. */
export async function provision(provisioners: Provisioner[], order: Order): Promise<Instance | Unobtainable> {
  const tried: string[] = []
  const mends: string[] = []
  for (const provisioner of provisioners) {
    const instance = await provisioner.start(order)
    if (!isUnobtainable(instance)) {
      const others = tried.length === 0 ? '' : `; not ${tried.join('; not ')}`
      order.report(`${order.candidate}: ${provisioner.kind}, ${instance.origin}${others}`)
      return instance
    }
    tried.push(...instance.tried.map((each) => `${provisioner.kind}: ${each}`))
    mends.push(instance.mend)
  }
  return { unobtainable: true, tried, mend: [...new Set(mends)].join('; or ') }
}
