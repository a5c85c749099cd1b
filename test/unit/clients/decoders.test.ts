/** Replies cut at every byte mean the same; bytes that are none are refused, and never hang or crash the client. */
import { createHash } from 'node:crypto'
import { BSON } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { CqlConnection } from '../../../src/clients/protocols/cql.ts'
import { enclose, FrameReader, frameHeadBytes, maxPayload } from '../../../src/clients/protocols/cql-frames.ts'
import { countRows, countRowsAfter, decodeRows, errorName, types, writeNumber } from '../../../src/clients/protocols/cql-messages.ts'
import { findItem, MemcachedConnection, outcomeOf, errorOf as refusalOf } from '../../../src/clients/protocols/memcached.ts'
import { MongoConnection, type ScannedReply, scanReply } from '../../../src/clients/protocols/mongodb.ts'
import { MysqlConnection } from '../../../src/clients/protocols/mysql.ts'
import { proofOf } from '../../../src/clients/protocols/mysql-login.ts'
import { PostgresConnection } from '../../../src/clients/protocols/postgres.ts'
import { bulkOf, decodeReply, elementAt, errorOf, isNull, lengthOf, RedisConnection, type Resp } from '../../../src/clients/protocols/resp.ts'
import { Scram } from '../../../src/clients/protocols/scram.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { Frames, type Receiver, type Wire } from '../../../src/clients/socket.ts'
import { keyOf, Source } from '../../../src/data/random.ts'

/** A connection whose bytes come from the test. */
class Fed implements Wire {
  #frames: Frames | undefined
  receive(receiver: Receiver) {
    this.#frames = new Frames(receiver)
  }
  write() {}
  end() {}
  feed(bytes: Buffer) {
    this.#frames?.feed(Buffer.from(bytes), bytes.length)
  }
}

/** All that a protocol said of a stream: whole, cut once at every place, and byte by byte. */
function everyCut<T>(stream: Buffer, listen: (wire: Fed) => T[]): T[][] {
  const said: T[][] = []
  const through = (parts: Buffer[]) => {
    const wire = new Fed()
    const heard = listen(wire)
    for (const part of parts) wire.feed(part)
    said.push(heard)
  }
  through([stream])
  for (let at = 1; at < stream.length; at++) through([stream.subarray(0, at), stream.subarray(at)])
  through(Array.from(stream, (_, at) => stream.subarray(at, at + 1)))
  return said
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int16 = (value: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}

describe('MySQL', () => {
  const packet = (sequence: number, ...parts: (Buffer | number[] | string)[]) => {
    const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))
    const head = Buffer.alloc(4)
    head.writeUIntLE(body.length, 0, 3)
    head[3] = sequence
    return Buffer.concat([head, body])
  }
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  const column = (type: number, characterSet: number) =>
    packet(1, ...['def', 'd', 't', 't', 'c', 'c'].map(text), [12, characterSet, 0, 0, 1, 0, 0, type, 0, 0, 0, 0, 0])
  const end = packet(9, [0xfe, 0, 0, 2, 0, 0, 0])
  const long = 'x'.repeat(300)
  const stream = Buffer.concat([
    packet(1, [3]),
    column(3, 63),
    column(253, 45),
    column(252, 63),
    packet(5, [0, 0], [5, 0, 0, 0], [2], 'ü', [1, 0xff]),
    packet(6, [0, 0b10000], [0xff, 0xff, 0xff, 0xff], [0xfc, 0x2c, 0x01], long),
    end,
    packet(1, [0, 17, 0, 2, 0, 0, 0]),
    packet(1, [0xff, 0xbd, 0x04], '#40001Deadlock found'),
  ])

  test('rows, counts and error numbers', () => {
    const listen = (wire: Fed) => {
      const heard: unknown[] = []
      const connection = new MysqlConnection(wire)
      connection.keep = true
      const request = () => connection.send(0, 0)
      connection.onReady = (rows, error) => {
        heard.push([rows, error, connection.rows])
        request()
      }
      request()
      return heard
    }
    const expected = [
      [
        2,
        '',
        [
          [5, 'ü', Buffer.from([0xff])],
          [-1, long, null],
        ],
      ],
      [17, '', []],
      [0, '1213', []],
    ]
    for (const said of everyCut(stream, listen)) expect(said).toEqual(expected)
  })

  test('what is no answer is refused', () => {
    for (const bytes of [packet(1, [0xfe]), packet(1), Buffer.from([0xff, 0xff, 0xff, 1, 0])]) {
      const wire = new Fed()
      const connection = new MysqlConnection(wire)
      connection.send(0, 0)
      expect(() => wire.feed(bytes)).toThrow(/packet|answer/)
    }
  })

  test('a password is proved by what the server can check without it', () => {
    const hash = (name: string, ...parts: (string | Buffer)[]) => parts.reduce((sum, part) => sum.update(part), createHash(name)).digest()
    const mixed = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, at) => byte ^ (b[at] as number)))
    const nonce = Buffer.from('abcdefghijklmnopqrst')
    const stored = hash('sha1', hash('sha1', 'secret'))
    expect(hash('sha1', mixed(proofOf('mysql_native_password', 'secret', nonce), hash('sha1', nonce, stored)))).toEqual(stored)
    const kept = hash('sha256', hash('sha256', 'secret'))
    expect(hash('sha256', mixed(proofOf('caching_sha2_password', 'secret', nonce), hash('sha256', kept, nonce)))).toEqual(kept)
    expect(() => proofOf('mysql_clear_password', 'secret', nonce)).toThrow(/mysql_clear_password/)
  })
})

describe('PostgreSQL', () => {
  const message = (kind: string, body: Buffer) => Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
  const row = (...cells: (string | null)[]) =>
    message(
      'D',
      Buffer.concat([
        int16(cells.length),
        ...cells.map((cell) => (cell === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(cell)), Buffer.from(cell)]))),
      ]),
    )
  const ready = message('Z', Buffer.from('I'))
  const stream = Buffer.concat([
    message('2', Buffer.alloc(0)),
    row('a', null, 'ü'),
    row('', '12', 'x'.repeat(300)),
    message('C', Buffer.from('SELECT 2\0')),
    ready,
    message('2', Buffer.alloc(0)),
    message('C', Buffer.from('INSERT 0 17\0')),
    ready,
    message('E', Buffer.from('SERROR\0C40001\0Mcould not serialize\0\0')),
    ready,
  ])

  test('rows, counts and SQLSTATEs', () => {
    const listen = (wire: Fed) => {
      const heard: unknown[] = []
      const connection = new PostgresConnection(wire)
      connection.keep = true
      connection.onReady = (rows, sqlState) => {
        heard.push([rows, sqlState, connection.rows])
        connection.send(0, 0) // As the next request does: counts start anew.
      }
      return heard
    }
    for (const heard of everyCut(stream, listen))
      expect(heard).toEqual([
        [
          2,
          '',
          [
            ['a', null, 'ü'],
            ['', '12', 'x'.repeat(300)],
          ],
        ],
        [17, '', []],
        [0, '40001', []],
      ])
  })

  test('garbage', () =>
    garbage(
      'postgres',
      (wire) => new PostgresConnection(wire),
      ['D', 'E', 'C', 't', 'Z', 'R'].map((kind) => message(kind, Buffer.alloc(6, 0xff))),
    ))
})

describe('Redis', () => {
  const bulks = (...words: (string | null)[]) =>
    Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map((word) => (word === null ? Buffer.from('$-1\r\n') : bulkOf(word)))])
  const stream = Buffer.concat([
    bulks('a', null, 'ü\r\n*', ''),
    Buffer.concat([Buffer.from('*2\r\n'), bulks('1', '2'), bulks('3', null)]),
    Buffer.from(':-1\r\n'),
    Buffer.from('-OOM command not allowed\r\n'),
    Buffer.from('*-1\r\n'),
    Buffer.from('$-1\r\n'),
    Buffer.from('+OK\r\n'),
  ])

  test('nested arrays, nulls, numbers, errors', () => {
    const text = (reply: Resp): unknown => (Buffer.isBuffer(reply) ? reply.toString() : Array.isArray(reply) ? reply.map(text) : reply)
    const listen = (wire: Fed) => {
      const heard: unknown[] = []
      new RedisConnection(wire).onReply = (bytes, from, to) => {
        const code = errorOf(bytes, from, to)
        heard.push(code === '' ? text(decodeReply(bytes, from)) : code)
      }
      return heard
    }
    for (const heard of everyCut(stream, listen))
      expect(heard).toEqual([
        ['a', null, 'ü\r\n*', ''],
        [
          ['1', '2'],
          ['3', null],
        ],
        -1,
        'OOM',
        null,
        null,
        'OK',
      ])
  })

  test('elements are found without decoding', () => {
    const reply = bulks('abc', null, 'd')
    expect(lengthOf(reply, 0)).toBe(3)
    expect([0, 1, 2].map((index) => isNull(reply, elementAt(reply, 0, index)))).toEqual([false, true, false])
  })

  test('garbage', () =>
    garbage('redis', (wire) => new RedisConnection(wire), [Buffer.from('*99999999\r\n'), Buffer.from('$9999999999\r\n'), Buffer.from('$x\r\n')]))
})

describe('Memcached', () => {
  const value = (key: string, data: string, cas = '') => `VALUE ${key} 8 ${Buffer.byteLength(data)}${cas}\r\n${data}\r\n`
  const stream = Buffer.from(
    [
      `${value('a', 'END\r\nü')}END\r\n`,
      `${value('b', '', ' 17')}END\r\n`,
      'END\r\nSTORED\r\nEXISTS\r\nNOT_STORED\r\nNOT_FOUND\r\nDELETED\r\n',
      'SERVER_ERROR out of memory storing object\r\nERROR\r\nBUSY currently processing crawler request\r\n',
      'STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n',
      'key=a exp=-1 size=60\nEND\r\n',
    ].join(''),
  )

  test('values and their versions, words, refusals, statistics', () => {
    const listen = (wire: Fed) => {
      const heard: unknown[] = []
      const item = { from: -1, to: -1, casFrom: -1, casTo: -1 }
      new MemcachedConnection(wire).onReply = (bytes, from, to) => {
        findItem(bytes, from, item)
        const refusal = refusalOf(bytes, from, to)
        if (item.from >= 0)
          heard.push([bytes.toString('utf8', item.from, item.to), item.casFrom < 0 ? '' : bytes.toString('utf8', item.casFrom, item.casTo)])
        else if (refusal !== '') heard.push(refusal)
        else if (/^(STAT|key|END)/.test(bytes.toString('utf8', from, to))) heard.push(to - from)
        else heard.push(outcomeOf(bytes, from))
      }
      return heard
    }
    for (const heard of everyCut(stream, listen))
      expect(heard).toEqual([
        ['END\r\nü', ''],
        ['', '17'],
        5,
        ...['done', 'changed', 'not stored', 'not found', 'done'],
        ...['SERVER_ERROR out of memory storing object', 'ERROR', 'BUSY currently processing crawler request'],
        'STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n'.length,
        ...['key=a exp=-1 size=60\n'.length, 5],
      ])
  })

  test('garbage', () =>
    garbage('memcached', (wire) => new MemcachedConnection(wire), [
      Buffer.from('VALUE a 0 99999999999\r\n'),
      Buffer.from('VALUE a 0 x\r\n'),
      Buffer.from('\0\0'),
    ]))
})

describe('MongoDB', () => {
  const message = (document: object) => {
    const body = Buffer.from(BSON.serialize(document))
    const head = Buffer.alloc(21)
    head.writeInt32LE(21 + body.length, 0)
    head.writeInt32LE(2013, 12)
    return Buffer.concat([head, body])
  }
  const replies = [
    { cursor: { firstBatch: [{ a: 1 }, { b: 'x'.repeat(200), c: [1, { d: null }] }], id: BSON.Long.fromNumber(0), ns: 'x.y' }, ok: 1 },
    { n: 3, nModified: 2, ok: 1, $clusterTime: { signature: { hash: new BSON.Binary(Buffer.alloc(20)), keyId: BSON.Long.fromNumber(1) } } },
    { cursor: { nextBatch: [], id: BSON.Long.fromString('77777777777'), ns: 'x.y' }, ok: 1 },
    { ok: 0, errmsg: 'WriteConflict', code: 112, codeName: 'WriteConflict', errorLabels: ['TransientTransactionError'] },
    { n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'duplicate key' }], ok: 1 },
    { n: 1, writeConcernError: { code: 64, codeName: 'WriteConcernFailed' }, ok: 1 },
    { ok: 0, code: 91, codeName: 'ShutdownInProgress', errorLabels: ['UnknownTransactionCommitResult', 'Other'] },
  ]
  const empty = (): ScannedReply => ({ ok: false, n: 0, batch: 0, cursorAt: -1, error: '', transient: false, unknownCommit: false })

  test('batches, counts, cursors, errors and their labels', () => {
    const listen = (wire: Fed) => {
      const heard: unknown[] = []
      new MongoConnection(wire).onReply = (bytes, from, to) => {
        const reply = empty()
        scanReply(bytes, from, to, reply)
        heard.push([reply.batch, reply.n, reply.cursorAt >= 0, reply.error, reply.transient, reply.unknownCommit])
      }
      return heard
    }
    for (const heard of everyCut(Buffer.concat(replies.map(message)), listen))
      expect(heard).toEqual([
        [2, 0, false, '', false, false],
        [0, 3, false, '', false, false],
        [0, 0, true, '', false, false],
        [0, 0, false, 'WriteConflict', true, false],
        [0, 0, false, '11000', false, false],
        [0, 1, false, '64', false, false],
        [0, 0, false, 'ShutdownInProgress', false, true],
      ])
  })

  test('garbage', () => {
    const scanning = (wire: Fed) => {
      new MongoConnection(wire).onReply = (bytes, from, to) => scanReply(bytes, from, to, empty())
    }
    const broken = replies.map(message).flatMap((whole) =>
      Array.from({ length: 40 }, (_, index) => {
        const copy = Buffer.from(whole)
        copy[21 + ((index * 7) % (copy.length - 21))] = 0xfe
        return copy
      }),
    )
    garbage('mongodb', scanning, broken)
  })
})

describe('CQL', () => {
  const frame = (stream: number, opcode: number, body: Buffer, flags = 0) =>
    Buffer.concat([Buffer.from([0x84, flags]), int16(stream), Buffer.from([opcode]), int32(body.length), body])
  const cell = (bytes: Buffer | null) => (bytes === null ? int32(-1) : Buffer.concat([int32(bytes.length), bytes]))
  const time = (ms: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(ms))
    return bytes
  }
  const rows = Buffer.concat([
    int32(2), // Rows,
    int32(4), // without a description,
    int32(2), // of two columns:
    int32(3),
    cell(Buffer.from('a')),
    cell(time(1000)),
    cell(null),
    cell(time(2000)),
    cell(Buffer.from('ü')),
    cell(null),
  ])
  const warned = Buffer.concat([int16(1), int16(2), Buffer.from('hm'), rows])
  const failure = Buffer.concat([int32(0x1100), int16(5), Buffer.from('write')])
  const columns = [
    { name: 'text', type: types.varchar },
    { name: 'at', type: types.timestamp },
  ]

  const listen = (connection: CqlConnection) => {
    const heard: unknown[] = []
    connection.onReply = (stream, code, bytes, from) =>
      heard.push(
        code >= 0
          ? [stream, errorName(code)]
          : [stream, countRows(bytes, from), countRowsAfter(bytes, from, 1, 1500, 9), decodeRows(bytes, from, columns).rows.map((row) => row.text)],
      )
    return heard
  }
  const replies = [
    [7, 3, 1, ['a', null, 'ü']],
    [8, 'WriteTimeout'],
    [300, 3, 1, ['a', null, 'ü']],
    [9, 0, 0, []],
  ]

  test('rows on their streams, warnings passed over, errors by name', () => {
    const stream = Buffer.concat([frame(7, 8, rows), frame(8, 0, failure), frame(300, 8, warned, 8), frame(9, 8, int32(1))])
    for (const heard of everyCut(stream, (wire) => listen(new CqlConnection(wire, 4)))) expect(heard).toEqual(replies)
  })

  describe('version 5, in frames', () => {
    const message = (...of: Parameters<typeof frame>) => {
      const bytes = frame(...of)
      bytes[0] = 0x85
      return bytes
    }
    const messages = [message(7, 8, rows), message(8, 0, failure), message(300, 8, warned, 8), message(9, 8, int32(1))] as const
    const framed = (...payload: Buffer[]) => {
      const request = new RequestBuffer()
      request.length = frameHeadBytes
      for (const bytes of payload) request.append(bytes)
      enclose(request)
      return Buffer.from(request.bytes.subarray(0, request.length))
    }
    const open = (wire: Fed) => {
      const connection = new CqlConnection(wire, 5)
      connection.frame()
      return connection
    }
    const several = Buffer.concat([framed(messages[0], messages[1]), framed(messages[2]), framed(messages[3])])

    test('several messages in a frame, several frames', () => {
      for (const heard of everyCut(several, (wire) => listen(open(wire)))) expect(heard).toEqual(replies)
    })

    test('whatever byte is damaged: what was heard before is right, and then there is an error', () => {
      for (let at = 0; at < several.length; at++) {
        const damaged = Buffer.from(several)
        damaged[at] = (damaged[at] as number) ^ 0x11
        const wire = new Fed()
        const heard = listen(open(wire))
        expect(() => {
          wire.feed(damaged)
          // A damaged length alone would wait for more: its checksum says that it is damaged at once.
          throw new Error(heard.length < replies.length ? 'waits' : 'heard all')
        }).toThrow(/damaged/)
        expect(replies.slice(0, heard.length)).toEqual(heard)
      }
    })

    test('messages that are longer than a frame are cut and come back whole', () => {
      const sizes = [
        [10, maxPayload - 9, 10],
        [maxPayload],
        [maxPayload - 9],
        [3 * maxPayload, 5],
        [maxPayload / 2, maxPayload / 2, maxPayload / 2],
        [0],
      ]
      for (const some of sizes) {
        const payload = some.map((size, stream) => message(stream, 8, Buffer.alloc(Math.floor(size), stream + 1)))
        const back: Buffer[] = []
        const reader = new FrameReader({
          take: (bytes, from, to) => {
            let at = from
            while (to - at >= 9 && at + 9 + bytes.readInt32BE(at + 5) <= to) {
              const end = at + 9 + bytes.readInt32BE(at + 5)
              back.push(Buffer.from(bytes.subarray(at, end)))
              at = end
            }
            return at
          },
          closed: () => {},
        })
        const frames = new Frames(reader)
        const bytes = framed(...payload)
        for (let at = 0; at < bytes.length; at += 65_521) {
          const part = bytes.subarray(at, at + 65_521)
          frames.feed(Buffer.from(part), part.length)
        }
        expect(back.map((each) => each.length)).toEqual(payload.map((each) => each.length))
        expect(Buffer.concat(back).equals(Buffer.concat(payload))).toBe(true)
      }
    })

    test('garbage', () => garbage('cql-5', open, [several.subarray(1), Buffer.alloc(64, 0xff)]))
  })

  test('decimals have the fewest bytes and come back as they were', () => {
    const bytes = Buffer.alloc(64)
    for (const value of [0, 1, -1, 127, 128, -128, -129, 255, 256, 65_535, -32_769, 2 ** 40, -(2 ** 52), Number.MAX_SAFE_INTEGER]) {
      const end = writeNumber(types.decimal, value, 3, bytes, 0)
      const unscaled = bytes.subarray(8, end)
      expect(BigInt.asIntN(unscaled.length * 8, BigInt(`0x${unscaled.toString('hex')}`))).toBe(BigInt(value))
      expect(
        unscaled.length === 1 || !((unscaled[0] === 0 && (unscaled[1] as number) < 128) || (unscaled[0] === 255 && (unscaled[1] as number) > 127)),
      ).toBe(true)
    }
  })

  test('garbage', () =>
    garbage('cql', (wire) => new CqlConnection(wire, 4), [
      frame(1, 8, Buffer.alloc(3)),
      frame(1, 8, Buffer.alloc(40, 0xff)),
      frame(-1, 12, rows),
      frame(4, 0, Buffer.alloc(0)),
    ]))
})

test('SCRAM-SHA-256 as RFC 7677 has it, and no server that does not know the password', () => {
  const scram = new Scram('user', 'pencil', 'rOprNGfwEbeRWgbNEkqO')
  expect(scram.first()).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  expect(scram.final(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)).toBe(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`)
  expect(() => scram.check('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).not.toThrow()
  expect(() => scram.check('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow(/did not prove/)
  expect(() => new Scram('user', 'pencil', 'a').final('r=b,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')).toThrow(/another login/)
  expect(() => new Scram('user', 'pencil', 'a').final('r=ab,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1')).toThrow(/iterations/)
})

/** Random bytes, and replies that are nearly right: an Error or patience, nothing else. */
function garbage(name: string, open: (wire: Fed) => unknown, nearly: Buffer[]): void {
  const draws = new Source().restart(keyOf(1, name), 1)
  const random = Array.from({ length: 500 }, () => Buffer.from(Array.from({ length: 1 + draws.below(200) }, () => draws.below(256))))
  for (const bytes of [...random, ...nearly]) {
    const wire = new Fed()
    open(wire)
    try {
      wire.feed(bytes)
      wire.feed(Buffer.alloc(64, 0x0d))
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
    }
  }
}
