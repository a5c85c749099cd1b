/** The edge of a product's driver: what it throws leaves it as an error of the server, and what is none as it is. */
import { fileURLToPath } from 'node:url'
import type { Caching } from '../engines/caching.ts'
import type { Engine, Lane, Session } from '../engines/engine.ts'
import { messageOf, TrialError } from '../errors.ts'
import type { Observed } from '../init/observed.ts'
import { connectionLost, isConnectionError, isOutOfRange, ServerError, unfit } from './server-error.ts'

/** What a product's driver threw, in our words; null: nothing that tells of a server. */
type Translate = (thrown: Error) => ServerError | null

/** The same engine, all of whose calls throw errors of its server where its server or the way to it is what failed. */
export function throwingServerErrors(translate: Translate, engine: Engine): Engine {
  const { external, server } = engine
  const edge = edgeOf(translate)
  return {
    ...engine,
    ready: edge((endpoint) => engine.ready(endpoint)),
    guards: edge((endpoint) => engine.guards(endpoint)),
    connect: edge(async (endpoint, compiled, options) => sessionOf(translate, await engine.connect(endpoint, compiled, options))),
    ...(engine.openLane === undefined
      ? {}
      : { openLane: edge((endpoint, compiled, slots) => engine.openLane?.(endpoint, compiled, slots) as Promise<Lane>) }),
    ...(engine.caching === undefined ? {} : { caching: cachingAt(edge, engine.caching) }),
    ...(engine.observe === undefined ? {} : { observe: edge((endpoint) => engine.observe?.(endpoint) as Promise<Observed>) }),
    external: {
      ...external,
      list: edge((endpoint) => external.list(endpoint)),
      create: edge((endpoint, proposed) => external.create(endpoint, proposed)),
      drop: edge((endpoint, namespace) => external.drop(endpoint, namespace)),
    },
    server: server.initiate === undefined ? server : { ...server, initiate: edge((endpoint) => server.initiate?.(endpoint) as Promise<void>) },
  }
}

const cachingAt = (edge: ReturnType<typeof edgeOf>, caching: Caching): Caching => ({
  ...caching,
  facts: edge((endpoint, limits) => caching.facts(endpoint, limits)),
  open: edge((endpoint) => caching.open(endpoint)),
  connect: edge(async (endpoint) => {
    const client = await caching.connect(endpoint)
    return {
      get: edge((key) => client.get(key)),
      set: edge((key, value, ttlMs) => client.set(key, value, ttlMs)),
      delete: edge((key) => client.delete(key)),
      [Symbol.asyncDispose]: edge(async () => client[Symbol.asyncDispose]()),
    }
  }),
})

/** Wraps a call. */
function edgeOf(translate: Translate) {
  return <A extends unknown[], T>(call: (...given: A) => Promise<T>) =>
    (...given: A): Promise<T> =>
      call(...given).catch((error: unknown) => {
        throw serverErrorOf(error, translate)
      })
}

function sessionOf(translate: Translate, session: Session): Session {
  const edge = edgeOf(translate)
  const rethrow = (error: unknown) => {
    throw serverErrorOf(error, translate)
  }
  return {
    facts: edge((limits) => session.facts(limits)),
    create: edge(() => session.create()),
    load: edge((rows, last) => session.load(rows, last)),
    settle: edge(() => session.settle()),
    maintain: edge(() => session.maintain()),
    // Called for every operation of a replay through the driver: it takes one promise more, and nothing else.
    perform: (operation, params) => session.perform(operation, params).catch(rethrow),
    storage: edge(() => session.storage()),
    explain: edge((operation, params) => session.explain(operation, params)),
    indexUse: edge(() => session.indexUse()),
    total: edge((entity, field) => session.total(entity, field)),
    ...(session.purge === undefined ? {} : { purge: edge((nowMs) => session.purge?.(nowMs) as Promise<number>) }),
    [Symbol.asyncDispose]: edge(async () => session[Symbol.asyncDispose]()),
  }
}

/** By what the product says of its driver's errors, then by what is alike for all. */
export function serverErrorOf(thrown: unknown, translate: Translate): unknown {
  if (!(thrown instanceof Error) || thrown instanceof TrialError) return thrown
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return serverErrorOf(thrown.errors[0], translate)
  const known = translate(thrown)
  if (known !== null) return known
  if (isConnectionError(thrown)) return connectionLost(thrown)
  if (isOutOfRange(thrown)) return unfit(thrown)
  // A plain error that a driver makes itself says of a server what the driver has no class for.
  return thrown.constructor === Error && !isOurs(thrown) ? new ServerError('other', messageOf(thrown), { cause: thrown }) : thrown
}

const source = new URL('..', import.meta.url)
/** Errors that a test throws in the place of ours are ours, too. */
const ourPlaces = [source.href, fileURLToPath(source)]

/** Whether code of ours threw it: the first frame that is not Node's own tells; of one that has no such frame Node's own reading of a socket is the author. */
export function isOurs({ stack = '' }: Error): boolean {
  const frame = stack.split('\n').find((line) => /^\s+at /.test(line) && !/\bnode:|\(<anonymous>\)|native\)/.test(line))
  return frame !== undefined && (ourPlaces.some((place) => frame.includes(place)) || !frame.includes('/node_modules/'))
}
