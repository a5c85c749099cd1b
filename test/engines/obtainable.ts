/** Where the server of an engine can be had: one that only its maker's image has is not on every machine, and who looks for it is told where it is. */
import type { Engine } from '../../src/engines/engine.ts'
import { presentImage } from '../../src/provision/images.ts'
import type { Provisioner } from '../../src/provision/provision.ts'
import { containerRuntime } from '../../src/provision/runtime.ts'

/** A program of the machine, or of a package. */
export const runsAsProcess = ({ server: { package: wanted, onPath } }: Engine) => wanted !== null || onPath !== null

/** An image that can be built is expected to be there; one that cannot be is used where it was pulled. */
export async function isExpected(engine: Engine, { kind }: Provisioner): Promise<boolean> {
  if (kind === 'local') return runsAsProcess(engine)
  return engine.server.image.offline !== null || (await presentImage(await containerRuntime(), engine.server.image)) !== null
}
