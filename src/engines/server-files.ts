/** Files of a server of our own that are the same for several products. */
import type { ServerContext } from './engine.ts'

/** None where connections are plain. */
export function certificateFiles({ security }: Pick<ServerContext, 'security'>): { name: string; text: string }[] {
  if (security === undefined) return []
  return [
    { name: 'server.crt', text: security.certificate },
    { name: 'server.key', text: security.key },
  ]
}

/** The `prepare` of a server that fills an empty directory itself. */
export const emptyDirectory = ({ dataDirectory }: ServerContext) => ({ program: 'mkdir', arguments: ['-p', dataDirectory] })
