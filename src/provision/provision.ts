/** What every provisioner gives: a running server under known limits, and the certainty that it goes away. */
import type { Endpoint, Engine, Limits } from '../engines/engine.ts'
import type { Durability } from '../scenario/scenario.ts'

export interface Usage {
  /** CPU seconds that the server's processes used since their start. */
  cpuSeconds: number
  residentBytes: number
  readBytes: number
  writtenBytes: number
}
export interface Exit {
  code: number | null
  signal: string | null
  /** Last lines that the server wrote. */
  lastWords: string
}
export interface Enforced {
  cpu: 'cpuset' | 'quota' | 'configured'
  memory: 'cgroup' | 'configured'
}
export interface Instance extends AsyncDisposable {
  readonly kind: 'container' | 'local' | 'external'
  readonly endpoint: Endpoint
  readonly version: string
  /** Binary or image, for the result. */
  readonly origin: string
  readonly enforced: Enforced
  readonly cores: number[]
  readonly dataDirectory: string
  /** Binds the server to its cores: starting and loading may use all, measuring may not. */
  confine(): Promise<void>
  sample(): Usage
  /** Stops the whole process tree without ending it. */
  pause(): Promise<void>
  resume(): Promise<void>
  kill(): Promise<void>
  readonly exited: Promise<Exit>
  administer?(arguments_: string[]): Promise<string>
}

export interface Order {
  engine: Engine
  candidate: string
  limits: Limits
  durability: Durability
  cores: number[]
  /** Where data directories go; on a real disk. */
  directory: string
  signal: AbortSignal
  report: (message: string) => void
}

/** Starts servers of one kind. `Unobtainable` is an expected negative: what was tried and what would fix it. */
export interface Provisioner {
  readonly kind: Instance['kind']
  start(order: Order): Promise<Instance | Unobtainable>
}
export interface Unobtainable {
  unobtainable: true
  tried: string[]
  mend: string
}

export function isUnobtainable(what: Instance | Unobtainable): what is Unobtainable {
  return 'unobtainable' in what
}

/** The first provisioner that can; what the others said is kept. */
export async function provision(provisioners: Provisioner[], order: Order): Promise<Instance | Unobtainable> {
  const tried: string[] = []
  let mend = ''
  for (const provisioner of provisioners) {
    const instance = await provisioner.start(order)
    if (!isUnobtainable(instance)) return instance
    tried.push(...instance.tried.map((each) => `${provisioner.kind}: ${each}`))
    mend = instance.mend
  }
  return { unobtainable: true, tried, mend }
}
