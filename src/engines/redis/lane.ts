/** Redis through the wire client: one connection per slot. */
import { conversing } from '../../clients/conversation.ts'
import { openFor } from '../../clients/open-all.ts'
import { decodeReply, errorOf, RedisConnection, type RedisLogin, type Resp, writeCommand } from '../../clients/protocols/resp.ts'
import { respKey } from '../../clients/protocols/resp-errors.ts'
import { TalkLane, type TalkProgram, type TalkProtocol } from '../../clients/talk-lane.ts'
import type { Compiled, Lane } from '../engine.ts'
import { RedisOperations } from './operations.ts'
import { type Call, commandsOf } from './talk.ts'
import { templateOf } from './templates.ts'

export function openRedisLane(login: RedisLogin, compiled: Compiled, slots: number): Promise<Lane> {
  const open = () => RedisConnection.open(login)
  return openFor(slots, open, async (connections) => {
    const operations = new RedisOperations(compiled)
    for (const { text } of operations.scripts()) await (connections[0] as RedisConnection).ask(['SCRIPT', 'LOAD', text])
    return new TalkLane(connections, programsOf(compiled, operations), protocol)
  })
}

function programsOf(compiled: Compiled, operations: RedisOperations): TalkProgram<Call, Resp>[] {
  return compiled.operations.map((op, index) => ({
    template: compiled.programs[index] === null ? null : templateOf(compiled, operations, op),
    converse: conversing(compiled, op, (bound) => operations.perform(op, bound)),
  }))
}

const protocol: TalkProtocol<Call, Resp> = {
  write(call, to) {
    const commands = commandsOf(call)
    for (const words of commands) writeCommand(to, words)
    return commands.length
  },
  read: decodeReply,
  errorOf,
  keyOf: respKey,
  refusal: '',
}
