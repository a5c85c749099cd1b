/** Every hostile server is asked what every external server is asked: each ends within the deadline, with a reason in one sentence, in bounded memory. */
import { expect, test } from 'vitest'
import { engineNamed } from '../../src/engines/registry.ts'
import { isOwnFault } from '../../src/errors.ts'
import { askServer } from '../../src/provision/question.ts'
import { hostileServers, listen } from './servers.ts'

const withinMs = 4000
/** Starting the process that asks, on a busy machine. */
const graceMs = 8000

test.concurrent.each(hostileServers.map((each) => [`${each.protocol}: ${each.name}`, each] as const))(
  '%s',
  async (_, hostile) => {
    const { port, end } = await listen(hostile)
    try {
      const { namespace } = engineNamed(hostile.protocol)
      const endpoint = { host: '127.0.0.1', port, user: 'somebody', password: 'a secret word', namespace }
      const start = performance.now()
      const failure = await askServer(hostile.protocol, endpoint, { ask: 'ready' }, undefined, withinMs).then(
        (answer) => `answered ${JSON.stringify(answer)}`,
        (error: Error) => {
          // Whatever it answers is no fault of ours, though a driver may break over it.
          expect(isOwnFault(error), error.stack ?? '').toBe(false)
          return error.message
        },
      )
      expect(performance.now() - start).toBeLessThan(withinMs + graceMs)
      expect(failure).not.toMatch(/^answered/)
      expect(failure).toMatch(/^[^\n]{3,400}$/)
      expect(failure).not.toContain('a secret word')
    } finally {
      end()
    }
  },
  20_000,
)
