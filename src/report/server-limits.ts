/** Shares of what a server has: from `warn` on somebody should look, from `act` on somebody must do something. */
export const serverLimits = {
  cpu: { warn: 0.7, act: 0.9 },
  memory: { warn: 0.8, act: 0.95 },
  disk: { warn: 0.75, act: 0.9 },
}
