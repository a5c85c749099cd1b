/** The asking process: one question to one server, then it ends. */
import { engineNamed } from '../engines/registry.ts'
import { isOwnFault, messageOf } from '../errors.ts'
import { keepSecret } from '../secrets.ts'
import { faultText, strayError } from '../stray-errors.ts'
import type { Answered, Asked } from './question.ts'

const tell = (answered: Answered) => process.send?.(answered)
// A driver may throw outside of any call of ours where a reply breaks its protocol.
process.on('uncaughtException', (error) => {
  const stray = strayError(error)
  tell(isOwnFault(stray) ? { fault: faultText(stray) } : { failure: `its answer cannot be read: ${messageOf(stray)}` })
})
process.on('disconnect', () => process.exit())
process.on('message', ({ engine: name, endpoint, question }: Asked) => {
  if (endpoint.password !== undefined) keepSecret(endpoint.password)
  const { external, ready } = engineNamed(name)
  const asked = {
    ready: () => ready(endpoint),
    list: () => external.list(endpoint),
    create: () => external.create(endpoint, (question as { proposed: string }).proposed),
    drop: () => external.drop(endpoint, (question as { namespace: string }).namespace),
  }[question.ask]
  asked().then(
    (answer) => tell({ answer: answer ?? null }),
    (error: unknown) => {
      // Nothing but an address was given: a driver that breaks over the answer has a server to thank for it.
      const stray = strayError(error)
      tell(isOwnFault(stray) ? { fault: faultText(stray) } : { failure: messageOf(stray) })
    },
  )
})
