/** Programs of this machine. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where systems put servers, which the PATH of who is not root may not name. */
const serverDirectories = ['/usr/local/sbin', '/usr/sbin']

/** Its path, where it can be run. */
export function which(program: string): string | undefined {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), ...serverDirectories]) {
    const path = join(directory, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return undefined
}
