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

/** What is made of so many connections; they are closed where that fails. */
export async function openFor<T extends { end(): unknown }, Made>(
  count: number,
  open: () => Promise<T>,
  make: (connections: T[]) => Made | Promise<Made>,
): Promise<Made> {
  const connections = await openAll(count, open)
  try {
    return await make(connections)
  } catch (error) {
    for (const connection of connections) connection.end()
    throw error
  }
}
