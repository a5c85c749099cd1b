/** Retries that a database's client contract asks for: the whole transaction, jittered backoff from 1 ms, ten times at most. */

export const maxRetries = 10

/** Full jitter around an exponential that starts at 1 ms and stops growing at 64. */
export const backoffMs = (retries: number) => 2 ** Math.min(retries, 6) * (0.5 + Math.random())

/** Resolves with the result and the number of retries; rethrows what is not transient, or the tenth failure. */
export async function retrying<T>(attempt: () => Promise<T>, transient: (error: unknown) => boolean): Promise<{ result: T; retries: number }> {
  for (let retries = 0; ; retries++) {
    try {
      return { result: await attempt(), retries }
    } catch (error) {
      if (retries === maxRetries || !transient(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, backoffMs(retries)))
    }
  }
}
