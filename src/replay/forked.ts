/** The other side of `fork.ts`: how a program of ours ends that was started as a process of its own. */

/** Whoever signals all processes of a service means the run, which ends this one when it is done with it, or by its own end. */
export function endWithParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit())
}
