/** Memcached through the wire client: a connection per slot. */
import { conversing } from '../../clients/conversation.ts'
import { type Call, ItemOperations, type Said } from '../../clients/item-operations.ts'
import { openFor } from '../../clients/open-all.ts'
import { errorOf, type FoundItem, findItem, MemcachedConnection, type MemcachedLogin, outcomeOf } from '../../clients/protocols/memcached.ts'
import { memcachedKey } from '../../clients/protocols/memcached-errors.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { TalkLane, type TalkProgram, type TalkProtocol } from '../../clients/talk-lane.ts'
import { writeItem } from '../../families/key-value/item.ts'
import type { Compiled, Lane } from '../engine.ts'
import { binaryFlag, expiryTime, refusals } from './calls.ts'
import { templateOf, writeLength, writeTimeAndRoom } from './templates.ts'

export function openMemcachedLane(login: MemcachedLogin, namespace: string, compiled: Compiled, slots: number): Promise<Lane> {
  const open = () => MemcachedConnection.open(login)
  return openFor(slots, open, (connections) => new TalkLane(connections, programsOf(compiled, namespace), protocolOf(namespace)))
}

function programsOf(compiled: Compiled, namespace: string): TalkProgram<Call, Said>[] {
  const operations = new ItemOperations(compiled, refusals)
  return compiled.operations.map((op, index) => ({
    template: compiled.programs[index] == null ? null : templateOf(compiled, operations.layout(op.entity), op, namespace),
    converse: conversing(compiled, op, (bound) => operations.talk(op, bound)),
  }))
}

const protocolOf = (namespace: string): TalkProtocol<Call, Said> => ({
  write(call, to) {
    writeCall(call, namespace, to)
    return 1
  },
  read: saidOf,
  errorOf,
  keyOf: memcachedKey,
  refusal: refusals.notStored,
})

const item: FoundItem = { from: -1, to: -1, casFrom: -1, casTo: -1 }

/** An item that was found, END where there was none, or one word. */
function saidOf(bytes: Buffer, from: number): Said {
  findItem(bytes, from, item)
  if (item.from >= 0)
    return {
      value: Buffer.from(bytes.subarray(item.from, item.to)),
      cas: item.casFrom < 0 ? '' : bytes.toString('latin1', item.casFrom, item.casTo),
    }
  return bytes[from + 1] === 0x4e && bytes[from + 2] === 0x44 ? null : outcomeOf(bytes, from)
}

/** Appends one command as it travels. */
export function writeCall(call: Call, namespace: string, to: RequestBuffer): void {
  to.append(Buffer.from(`${call.command} ${namespace}:${call.key}`))
  if ('item' in call) {
    to.append(Buffer.from(` ${binaryFlag} `))
    const lengthAt = writeTimeAndRoom(expiryTime(call.seconds), to)
    if (call.cas !== '') {
      // The version stands behind the length, and before the end of the line.
      to.length -= 2
      to.append(Buffer.from(` ${call.cas}\r\n`))
    }
    const from = to.length
    writeItem(call.layout, call.item, to)
    writeLength(to.length - from, to.bytes, lengthAt)
  }
  to.append(Buffer.from('\r\n'))
}
