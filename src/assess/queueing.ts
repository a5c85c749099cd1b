/** How long operations wait for a server that others use, by formula: beside what was measured, never in its place. */

/**
 * Erlang C: the probability that an arrival at c servers with the offered load a (servers' worth of work) waits. By the recursion of
 * Erlang B, B(k) = aB(k − 1) / (k + aB(k − 1)), which is stable at thousands of servers. 1 from a = c on.
 */
export function erlangC(servers: number, offered: number): number {
  if (offered >= servers) return 1
  if (offered === 0) return 0
  let blocked = 1
  for (let k = 1; k <= servers; k++) blocked = (offered * blocked) / (k + offered * blocked)
  const utilisation = offered / servers
  return blocked / (1 - utilisation + utilisation * blocked)
}

/**
 * Mean wait in the unit of the service time, by Allen and Cunneen: that of M/M/c times half the sum of the squared coefficients of
 * variation of arrivals (1 for Poisson) and service. Infinity from saturation on.
 */
export function meanWait(servers: number, offered: number, meanService: number, serviceVariation2: number, arrivalVariation2 = 1): number {
  if (offered >= servers) return Number.POSITIVE_INFINITY
  return (((erlangC(servers, offered) * meanService) / (servers - offered)) * (arrivalVariation2 + serviceVariation2)) / 2
}
