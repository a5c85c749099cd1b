/** Shares of what a server has: from `warn` on somebody should look, from `act` on somebody must do something. */
export const serverLimits = {
  cpu: { warn: 0.7, act: 0.9 },
  memory: { warn: 0.8, act: 0.95 },
  disk: { warn: 0.75, act: 0.9 },
  connections: { warn: 0.7, act: 0.9 },
}

/** In an hour. */
export const deadlockLimits = { warn: 5, act: 20 }

/** With a copy that is further behind than half of what may be lost, its primary should not be lost. */
export function lagLimitsMs(rpoMs: number | null): { warn: number; act: number } {
  const act = Math.min(60_000, rpoMs === null || rpoMs === 0 ? 60_000 : rpoMs / 2)
  return { warn: act / 6, act }
}
