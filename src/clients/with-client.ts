/** A client that is opened for some questions, and closed whatever comes of them. */
export async function withClient<Client, T>(
  open: () => Promise<Client>,
  question: (client: Client) => Promise<T>,
  close: (client: Client) => unknown,
): Promise<T> {
  const client = await open()
  try {
    return await question(client)
  } finally {
    await close(client)
  }
}
