/** Errors that a driver throws outside of any call of ours, because a reply broke its protocol: they belong to the server that is being talked to. */
let owner: ((error: unknown) => void) | undefined

/** While `work` runs, a stray error rejects it; what `work` waited for is left behind. */
export function owningStrayErrors<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    owner = reject
    work.then(resolve, reject).finally(() => {
      if (owner === reject) owner = undefined
    })
  })
}

/** `otherwise` is told of those that belong to nobody. */
export function catchStrayErrors(otherwise: (error: unknown) => void): void {
  process.on('uncaughtException', (error) => (owner ?? otherwise)(error))
}
