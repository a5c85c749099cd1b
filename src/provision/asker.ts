/** The asking process: one question to one server, then it ends. */
import { engineNamed } from '../engines/registry.ts'
import { messageOf } from '../errors.ts'
import { keepSecret } from '../secrets.ts'
import type { Answered, Asked } from './question.ts'

const tell = (answered: Answered) => process.send?.(answered)
// A driver may throw outside of any call of ours where a reply breaks its protocol.
process.on('uncaughtException', (error) => tell({ failure: `its answer cannot be read: ${messageOf(error)}` }))
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
    (error: unknown) => tell({ failure: messageOf(error) }),
  )
})
