/** As many connections as are asked for, or none: what was opened is closed where one of them fails. */
export async function openAll<T extends { end(): unknown }>(count: number, open: () => Promise<T>): Promise<T[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, open))
  const connections = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = opened.find((each) => each.status === 'rejected')
  if (failed === undefined) return connections
  // What a driver's connection says to its end is no more than that it failed, too.
  await Promise.allSettled(connections.map(async (connection) => connection.end()))
  throw failed.reason
}
