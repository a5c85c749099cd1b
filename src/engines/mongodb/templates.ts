/** The requests of a program as BSON templates: what the wire client adds to each, and its own commands. */
import type { BSON } from 'mongodb'
import type { Template } from '../../clients/slot-lane.ts'
import { concerns, type DocumentProgram } from '../../families/document/compile.ts'
import { guardOf, tellsNumber } from '../../families/program.ts'
import type { Durability } from '../../scenario/scenario.ts'
import { compile, type Instruction, Opening, Session, TransactionNumber } from './bson.ts'
import type { MongoDocuments } from './documents.ts'

type Bson = typeof BSON

export interface CommandTemplate extends Template {
  collection: string
  write: Instruction
  /** The field whose number it tells, as BSON names it. */
  told: Buffer
  /** Whether it compares a number that was read before. */
  compares: boolean
}

/** By variant of the program. */
export function templatesOf(bson: Bson, documents: MongoDocuments, database: string, program: DocumentProgram): CommandTemplate[][] {
  const { variants, readsFirst } = program
  const opening = new Opening({ readConcern: concerns.transaction, startTransaction: true })
  return variants.map((requests) =>
    requests.map((request, at): CommandTemplate => {
      const atomic = program.atomic && !(readsFirst && at === 0)
      const { collection, command, unlessEmptyAt } = request
      const inside = atomic ? { txnNumber: new TransactionNumber(), autocommit: false, opening } : {}
      const retryable = !atomic && 'writeConcern' in command ? { txnNumber: new TransactionNumber() } : {}
      const write = compile(bson, { ...documents.prepared(command), lsid: { id: new Session() }, ...inside, ...retryable, $db: database })
      const reading = { tells: tellsNumber(program, at), told: Buffer.from(`${request.tells ?? ''}\0`), compares: tellsNumber(program, at - 1) }
      return { ...guardOf(request), collection, unlessEmptyAt, write, ...reading }
    }),
  )
}

/** commitTransaction and abortTransaction. */
export function endTemplate(bson: Bson, durability: Durability, name: 'commitTransaction' | 'abortTransaction'): Instruction {
  return compile(bson, {
    [name]: 1,
    lsid: { id: new Session() },
    txnNumber: new TransactionNumber(),
    autocommit: false,
    writeConcern: concerns.write(durability),
    $db: 'admin',
  })
}

/** The next batch of a cursor; its eight bytes are in the last reply. */
export function getMore(bson: Bson, database: string, collection: string, session: Buffer, cursor: Buffer): Buffer {
  return Buffer.from(
    bson.serialize({
      getMore: new bson.Long(cursor.readInt32LE(0), cursor.readInt32LE(4)),
      collection,
      lsid: { id: new bson.Binary(session, bson.Binary.SUBTYPE_UUID) },
      $db: database,
    }),
  )
}
