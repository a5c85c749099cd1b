/** Servers that answer wrong on purpose: silent, endless, broken, huge. Each listens on a port of its own on loopback. */
import { createServer, type Server, type Socket } from 'node:net'

export type Protocol = 'postgres' | 'redis' | 'memcached' | 'mongodb' | 'cassandra'
export interface HostileServer {
  protocol: Protocol
  name: string
  /** What it does with a connection. */
  serve(socket: Socket): void
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}
const int32le = (value: number) => Buffer.from(int32(value)).reverse()
const onFirst = (act: (socket: Socket, bytes: Buffer) => void) => (socket: Socket) => void socket.once('data', (bytes) => act(socket, bytes))
const reply = (bytes: Buffer | string) => onFirst((socket) => void socket.write(bytes))
const always = (bytes: Buffer | string) => (socket: Socket) => void socket.on('data', () => socket.write(bytes))
/** As fast as the other side takes it, for ever. */
const endless = (socket: Socket, piece: Buffer | string) => {
  const block = Buffer.concat(Array.from({ length: 64 }, () => Buffer.from(piece as string)))
  const pump = () => {
    while (socket.writable && socket.write(block));
  }
  socket.on('drain', pump)
  pump()
}
const silent = () => {}

// PostgreSQL: kind, length, body.
const pg = (kind: string, body: Buffer | string = '') =>
  Buffer.concat([Buffer.from(kind), int32(Buffer.from(body as string).length + 4), Buffer.from(body as string)])
const pgOk = pg('R', int32(0))
const pgReady = pg('Z', 'I')
const pgLogin = Buffer.concat([pgOk, pgReady])
const pgSasl = (message: string) => pg('R', Buffer.concat([int32(11), Buffer.from(message)]))
const pgMechanism = pg('R', Buffer.concat([int32(10), Buffer.from('SCRAM-SHA-256\0\0')]))
const pgRow = pg('D', Buffer.concat([Buffer.from([0, 1]), int32(8), Buffer.from('x'.repeat(8))]))
const pgColumns = pg(
  'T',
  Buffer.concat([
    Buffer.from([0, 1]),
    Buffer.from('c\0'),
    int32(0),
    Buffer.from([0, 0]),
    int32(25),
    Buffer.from([0, 8]),
    int32(-1),
    Buffer.from([0, 0]),
  ]),
)
/** Logs in, then does something else with whatever is asked. */
const afterLogin = (act: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => {
    socket.write(pgLogin)
    socket.once('data', () => act(socket))
  })
}
const postgres: Record<string, (socket: Socket) => void> = {
  mute: silent,
  'hangs up': (socket) => void socket.end(),
  resets: (socket) => void socket.resetAndDestroy(),
  'hangs up when asked': onFirst((socket) => void socket.end()),
  text: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
  zeros: onFirst((socket) => endless(socket, Buffer.alloc(1024))),
  'length 0': reply(Buffer.concat([Buffer.from('R'), int32(0)])),
  'length −1': reply(Buffer.concat([Buffer.from('R'), int32(-1)])),
  'length of 2 GB': onFirst((socket) => {
    socket.write(Buffer.concat([Buffer.from('R'), int32(0x7fffffff)]))
    endless(socket, Buffer.alloc(65_536))
  }),
  'unknown kind': reply(pg('~', 'what')),
  'unknown authentication': reply(pg('R', int32(99))),
  'half a message': reply(pgOk.subarray(0, 6)),
  refuses: reply(pg('E', 'SFATAL\0C28P01\0Mno entry\0\0')),
  'error without an end': reply(pg('E', 'SFATAL')),
  'login, then silence': onFirst((socket) => void socket.write(pgLogin)),
  'login, then endless rows': afterLogin((socket) => {
    socket.write(pgColumns)
    endless(socket, pgRow)
  }),
  'login, then endless notices': afterLogin((socket) => endless(socket, pg('N', 'SNOTICE\0Mhello\0\0'))),
  'login, then garbage': afterLogin((socket) => void socket.write(Buffer.alloc(300, 0xff))),
  'login, then a row that lies': afterLogin(
    (socket) => void socket.write(Buffer.concat([pgColumns, pg('D', Buffer.concat([Buffer.from([0, 9]), int32(99)]))])),
  ),
  'login, then hangs up': afterLogin((socket) => void socket.end()),
  'SCRAM with a wrong nonce': onFirst((socket) => {
    socket.write(pgMechanism)
    socket.once('data', () => socket.write(pgSasl('r=other,s=c2FsdA==,i=4096')))
  }),
  'SCRAM with 2,000,000,000 iterations': onFirst((socket) => {
    socket.write(pgMechanism)
    socket.once('data', (bytes) => socket.write(pgSasl(`r=${/r=([^,]+)/.exec(bytes.toString('latin1'))?.[1]}x,s=c2FsdA==,i=2000000000`)))
  }),
  'SCRAM without an end': onFirst((socket) => {
    socket.write(pgMechanism)
    socket.on('data', () => socket.write(pgSasl('')))
  }),
}

const redis: Record<string, (socket: Socket) => void> = {
  mute: silent,
  'hangs up': (socket) => void socket.end(),
  text: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'a string of 99 GB': always('$99999999999\r\n'),
  'a string of 99 GB that comes': onFirst((socket) => {
    socket.write('$99999999999\r\n')
    endless(socket, 'x'.repeat(65_536))
  }),
  'an array of a billion': always('*1000000000\r\n'),
  'an array of a billion that comes': onFirst((socket) => {
    socket.write('*1000000000\r\n')
    endless(socket, ':1\r\n'.repeat(4096))
  }),
  'a line without an end': onFirst((socket) => {
    socket.write('+')
    endless(socket, 'x'.repeat(65_536))
  }),
  'nested arrays': onFirst((socket) => endless(socket, '*1\r\n'.repeat(1024))),
  'negative length': always('$-7\r\n'),
  'no number': always('$x\r\n'),
  'always OK': always('+OK\r\n'),
  'always a number': always(':7\r\n'),
  'always null': always('$-1\r\n'),
  refuses: always('-ERR no\r\n'),
  'wrong password': always('-WRONGPASS invalid\r\n'),
  'endless replies': (socket) => endless(socket, '+OK\r\n'.repeat(1024)),
}

const memcached: Record<string, (socket: Socket) => void> = {
  mute: silent,
  'hangs up': (socket) => void socket.end(),
  text: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'a value of 99 GB': always('VALUE a 0 99999999999\r\n'),
  'a value that comes without an end': onFirst((socket) => {
    socket.write('VALUE a 0 999999999\r\n')
    endless(socket, 'x'.repeat(65_536))
  }),
  'a line without an end': onFirst((socket) => endless(socket, 'X'.repeat(65_536))),
  'values without an end': onFirst((socket) => endless(socket, 'VALUE a 0 1\r\nx\r\n'.repeat(1024))),
  'statistics without an end': onFirst((socket) => endless(socket, 'STAT a 1\r\n'.repeat(1024))),
  'no number': always('VALUE a 0 x\r\nx\r\nEND\r\n'),
  'always stored': always('STORED\r\n'),
  refuses: always('ERROR\r\n'),
  'wrong password': always('CLIENT_ERROR authentication failure\r\n'),
  'endless replies': (socket) => endless(socket, 'STORED\r\n'.repeat(1024)),
}

const document = (length: number) => Buffer.concat([int32le(length), Buffer.from([0])])
const mongo = (body: Buffer, length = 16 + 4 + 1 + body.length, kind = 2013, to = 1) =>
  Buffer.concat([int32le(length), int32le(1), int32le(to), int32le(kind), int32le(0), Buffer.from([0]), body])
const mongodb: Record<string, (socket: Socket) => void> = {
  mute: silent,
  'hangs up': (socket) => void socket.end(),
  text: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'an empty document': always(mongo(document(5))),
  'a message of 2 GB': onFirst((socket) => {
    socket.write(mongo(document(5), 0x7fffffff))
    endless(socket, Buffer.alloc(65_536))
  }),
  'a message of 40 MB that never comes': always(mongo(document(5), 40_000_000)),
  'a document that lies about its length': always(mongo(document(9999))),
  'an unknown kind': always(mongo(document(5), 26, 4242)),
  'length 0': always(Buffer.alloc(16)),
}

const cql = (kind: number, body: Buffer, length = body.length, stream = 0) =>
  Buffer.concat([Buffer.from([0x84, 0, stream >> 8, stream & 255, kind]), int32(length), body])
const cassandra: Record<string, (socket: Socket) => void> = {
  mute: silent,
  'hangs up': (socket) => void socket.end(),
  text: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'READY, then silence': onFirst((socket) => void socket.write(cql(2, Buffer.alloc(0)))),
  'a message of 2 GB': onFirst((socket) => {
    socket.write(cql(6, Buffer.alloc(0), 0x7fffffff))
    endless(socket, Buffer.alloc(65_536))
  }),
  'a negative length': always(cql(2, Buffer.alloc(0), -1)),
  'an error that lies': always(cql(0, Buffer.concat([int32(0), Buffer.from([0xff, 0xff])]))),
  'an unknown kind': always(cql(77, Buffer.alloc(4))),
  'a stream that nobody asked on': always(cql(2, Buffer.alloc(0), 0, 9999)),
}

export const hostileServers: HostileServer[] = Object.entries({ postgres, redis, memcached, mongodb, cassandra }).flatMap(([protocol, all]) =>
  Object.entries(all).map(([name, serve]) => ({ protocol: protocol as Protocol, name, serve })),
)

/** Resolves with its port. */
export function listen({ serve }: HostileServer): Promise<{ server: Server; port: number; end: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        server,
        port: (server.address() as { port: number }).port,
        end: () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        },
      }),
    ),
  )
}
