/** The two servers of a candidate with a cache in front, as one: on the same cores, paused together, and what they use is added up. */
import type { Endpoint } from '../engines/engine.ts'
import type { Usage } from '../host/processes.ts'
import { type Exit, type Instance, isUnobtainable, type Order, type Provisioner, provision, type Unobtainable } from './provision.ts'

/** As `provision`; where the engine is a store with a cache, both servers come from the same kind of place. */
export async function provisionWhole(provisioners: Provisioner[], order: Order): Promise<Instance | Unobtainable> {
  const { behindCache } = order.engine
  if (behindCache === undefined) return await provision(provisioners, order)
  const limits = behindCache.limitsOf(order.limits)
  const store = await provision(provisioners, { ...order, engine: behindCache.store, limits: limits.store })
  if (isUnobtainable(store)) return store
  try {
    const cache = await provision(
      provisioners.filter(({ kind }) => kind === store.kind),
      { ...order, engine: behindCache.cache, candidate: `${order.candidate} cache`, limits: limits.cache, durability: 'volatile' },
    )
    if (!isUnobtainable(cache)) return new WithCache(store, cache)
    await store[Symbol.asyncDispose]()
    return cache
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

class WithCache implements Instance {
  readonly kind: Instance['kind']
  readonly endpoint: Endpoint
  readonly version: string
  readonly origin: string
  readonly image: Instance['image']
  readonly cores: number[]
  readonly administer?: (arguments_: string[]) => Promise<string>
  readonly snapshot?: () => Promise<void>
  readonly restart?: () => Promise<void>
  readonly restore?: () => Promise<void>
  readonly #store: Instance
  readonly #cache: Instance

  constructor(store: Instance, cache: Instance) {
    this.#store = store
    this.#cache = cache
    this.kind = store.kind
    this.cores = store.cores
    this.image = store.image
    this.endpoint = { ...store.endpoint, cache: cache.endpoint }
    this.version = `${store.version} behind ${cache.version}`
    this.origin = `${store.origin}; cache: ${cache.origin}`
    const { administer, snapshot, restart, restore } = store
    if (administer !== undefined) this.administer = administer
    if (snapshot !== undefined) this.snapshot = () => snapshot.call(store)
    if (restart !== undefined) this.restart = () => this.#anew(restart)
    if (restore !== undefined) this.restore = () => this.#anew(restore)
  }

  get enforced(): Instance['enforced'] {
    return this.#store.enforced
  }

  get exited(): Promise<Exit> {
    return Promise.race([this.#store.exited, this.#cache.exited])
  }

  async confine() {
    await this.#both((each) => each.confine())
  }

  async release() {
    await this.#both((each) => each.release())
  }

  async sample() {
    const [store, cache] = await Promise.all([this.#store.sample(), this.#cache.sample()])
    return sumOf(store, cache)
  }

  watch() {
    const [store, cache] = [this.#store.watch(), this.#cache.watch()]
    return () => sumOf(store(), cache())
  }

  async processes() {
    return [...(await this.#store.processes()), ...(await this.#cache.processes())]
  }

  async pause() {
    await this.#both((each) => each.pause())
  }

  async resume() {
    await this.#both((each) => each.resume())
  }

  async kill() {
    await this.#both((each) => each.kill())
  }

  async [Symbol.asyncDispose]() {
    await this.#both((each) => each[Symbol.asyncDispose]())
  }

  /** What the cache holds is of the data as they were: it starts empty, whatever ended. */
  async #anew(startStore: () => Promise<void>): Promise<void> {
    await this.#cache.kill()
    await startStore.call(this.#store)
    await this.#cache.restart?.()
  }

  async #both(work: (instance: Instance) => PromiseLike<void>): Promise<void> {
    await Promise.all([work(this.#store), work(this.#cache)])
  }
}

function sumOf(store: Usage | null, cache: Usage | null): Usage | null {
  if (store === null || cache === null) return null
  const { stalled } = store
  return {
    cpuSeconds: store.cpuSeconds + cache.cpuSeconds,
    residentBytes: store.residentBytes + cache.residentBytes,
    ...(stalled === undefined ? {} : { stalled }),
  }
}
