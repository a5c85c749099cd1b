/** Redis through the wire client: one connection per slot. */

import { openAll } from '../../clients/open-all.ts'
import { decodeReply, errorOf, RedisConnection, type RedisLogin, type Resp, writeCommand } from '../../clients/protocols/resp.ts'
import { respKey } from '../../clients/protocols/resp-errors.ts'
import { TalkLane, type TalkProgram, type TalkProtocol } from '../../clients/talk-lane.ts'
import { fixedParameters, positionsOf } from '../../data/parameters.ts'
import type { Compiled, Lane } from '../engine.ts'
import { RedisOperations } from './operations.ts'
import { type Call, commandsOf } from './talk.ts'
import { templateOf } from './templates.ts'

export async function openRedisLane(login: RedisLogin, compiled: Compiled, slots: number): Promise<Lane> {
  const connections = await openAll(slots, () => RedisConnection.open(login))
  try {
    const operations = new RedisOperations(compiled)
    for (const { text } of operations.scripts()) await (connections[0] as RedisConnection).ask(['SCRIPT', 'LOAD', text])
    return new TalkLane(connections, programsOf(compiled, operations), protocol)
  } catch (error) {
    for (const connection of connections) connection.end()
    throw error
  }
}

function programsOf(compiled: Compiled, operations: RedisOperations): TalkProgram<Call, Resp>[] {
  return compiled.operations.map((op, index) => {
    const positions = positionsOf(compiled.scenario, op)
    return {
      template: compiled.programs[index] === null ? null : templateOf(compiled, operations, op),
      converse: (params) => {
        const fixed = fixedParameters(params.values())
        return operations.perform(op, (name) => fixed.value(positions.get(name) ?? -1))
      },
    }
  })
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
