/** The image of an engine: the pinned one, pulled with its progress, or the one built on this machine, with the reason. */
import type { ServerImage } from '../engines/engine.ts'
import { messageOf } from '../errors.ts'
import type { Image } from './provision.ts'
import type { Runtime } from './runtime.ts'

/** The registry has this long to answer: a blocked one never does. */
const answerWithinMs = 20_000
const pullWithinMs = 10 * 60_000

export interface FoundImage extends Image {
  home: string
  /** Why it is not the pinned one. */
  reason: string | null
}

/** Why a registry is out of reach: asked once a run, it stays so. */
const unreachable = new Map<string, string>()

/** The first part of a name is a host where it looks like one. */
function registryOf(name: string): string {
  const [first = ''] = name.split('/')
  return name.includes('/') && /[.:]/.test(first) ? first : ''
}

const pinnedName = (image: string, digest: string) => `${image.replace(/:[^:/]+$/, '')}@${digest}`

/** What the engine knows of an image that is on this machine. */
async function inspectImage({ docker }: Runtime, name: string) {
  try {
    return await docker.getImage(name).inspect()
  } catch {
    return undefined
  }
}

/** Of the two names the one that is on this machine. */
export async function presentImage(runtime: Runtime, { image, digest, offline }: ServerImage): Promise<string | null> {
  if (image !== null && digest !== null && (await inspectImage(runtime, pinnedName(image, digest))) !== undefined) return image
  return offline !== null && (await inspectImage(runtime, offline.image)) !== undefined ? offline.image : null
}

/** @throws Error with one sentence where there is neither. */
export async function findImage(
  runtime: Runtime,
  wanted: ServerImage,
  offlineHome: string,
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<FoundImage> {
  const published = await findPublished(runtime, wanted, report, signal)
  if (typeof published !== 'string') return published
  const { offline } = wanted
  if (offline === null) throw new Error(`${published}, and none can be built here`)
  const built = await inspectImage(runtime, offline.image)
  if (built === undefined) throw new Error(`${published}, and ${offline.image} was not built on this machine`)
  return { name: offline.image, id: built.Id, digest: null, home: offline.home ?? offlineHome, reason: published }
}

/** Why there is none, where there is none. */
async function findPublished(
  runtime: Runtime,
  { image, digest, home }: ServerImage,
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<FoundImage | string> {
  if (image === null || digest === null) return 'no published image holds all of it'
  const pinned = pinnedName(image, digest)
  const registry = registryOf(image)
  let there = await inspectImage(runtime, pinned)
  if (there === undefined && !unreachable.has(registry)) {
    try {
      report(`pulling ${image}`)
      await pull(runtime.docker, pinned, image, report, signal)
      there = await inspectImage(runtime, pinned)
    } catch (error) {
      if (signal.aborted) throw error
      unreachable.set(registry, reasonOf(error))
    }
  }
  if (there === undefined) return `${image} could not be pulled (${unreachable.get(registry) ?? 'it is not there after the pull'})`
  return { name: image, id: there.Id, digest, home, reason: null }
}

/** In words, without the addresses that a result should not carry. */
function reasonOf(error: unknown): string {
  const text = messageOf(error)
  if (/no such host|server misbehaving|lookup /.test(text)) return 'the name of its registry is not known here'
  return text
    .replace(/^\(HTTP code \d+\) [\w ]+ - /, '')
    .replaceAll(/"?https?:\/\/\S+/g, 'the registry')
    .slice(0, 160)
}

interface PullEvent {
  status?: string
  id?: string
  error?: string
  progressDetail?: { current?: number; total?: number }
}

async function pull(docker: Runtime['docker'], pinned: string, name: string, report: (text: string) => void, signal: AbortSignal): Promise<void> {
  const stream = await within(docker.pull(pinned) as Promise<NodeJS.ReadableStream>, answerWithinMs, 'the registry does not answer')
  const layers = new Map<string, { current: number; total: number }>()
  let shown = 0
  const finished = new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    docker.modem.followProgress(
      stream,
      (error: Error | null, events: PullEvent[]) => {
        const failure = error?.message ?? events.findLast((event) => event.error !== undefined)?.error
        if (failure === undefined) resolve()
        else reject(new Error(failure))
      },
      ({ id, status, progressDetail }: PullEvent) => {
        if (status !== 'Downloading' || id === undefined) return
        layers.set(id, { current: progressDetail?.current ?? 0, total: progressDetail?.total ?? 0 })
        if (Date.now() - shown < 1000) return
        shown = Date.now()
        const sum = (of: 'current' | 'total') => [...layers.values()].reduce((total, layer) => total + layer[of], 0) / 1e6
        report(`pulling ${name}: ${sum('current').toFixed(0)} of ${sum('total').toFixed(0)} MB`)
      },
    )
  })
  await within(finished, pullWithinMs, `not finished within ${pullWithinMs / 60_000} min`)
}

function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(message)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
