/** Which provisioners a candidate tries, in which order; and the sweep and the guard around them. */
import { TrialError } from '../errors.ts'
import { container } from './container.ts'
import { type ExternalServer, external } from './external.ts'
import type { Guard } from './guard.ts'
import { local } from './local.ts'
import type { Provisioner } from './provision.ts'

export type ProvisionKind = 'auto' | 'container' | 'local' | 'external'

/** `auto`: container, then local; a candidate with an endpoint of its own runs there and nowhere else. */
export function chooseProvisioners(kind: ProvisionKind, servers: Map<string, ExternalServer>, guard: Guard): (candidate: string) => Provisioner[] {
  const outside = external(servers, ({ engine, endpoint }) => guard.tell({ type: 'external', engine: engine.name, endpoint }))
  const guarded: Provisioner = {
    ...container,
    start(order) {
      guard.tell({ type: 'containers' })
      return container.start(order)
    },
  }
  if (kind === 'external' && servers.size === 0)
    throw new TrialError('no-endpoint', '--provision external needs an address for each candidate', {
      hint: 'give --endpoint NAME=URL',
      exitCode: 2,
    })
  const usual = { auto: [guarded, local, outside], container: [guarded], local: [local], external: [outside] }[kind]
  return (candidate) => (servers.has(candidate) ? [outside] : usual)
}
