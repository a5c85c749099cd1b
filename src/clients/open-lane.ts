/** How a replay reaches a server: by the wire client where the product has one and nobody asked for the driver. */
import type { ClientKind, Compiled, Endpoint, Engine, Lane } from '../engines/engine.ts'
import { driverLane } from './driver-lane.ts'

export const clientOf = ({ openLane }: Engine, asked: ClientKind): ClientKind => (openLane === undefined ? 'driver' : asked)

/** `slots`: operations in flight at most. @throws ServerError where the server cannot be reached. */
export async function openLane(engine: Engine, endpoint: Endpoint, compiled: Compiled, slots: number, asked: ClientKind = 'wire'): Promise<Lane> {
  if (engine.openLane !== undefined && asked === 'wire') return await engine.openLane(endpoint, compiled, slots)
  return driverLane(await engine.connect(endpoint, compiled, { connections: slots }), slots)
}
