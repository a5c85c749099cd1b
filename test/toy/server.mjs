// The server of the toy: items in memory, found by their keys. Requests and replies are lines of JSON, replies in the order of the requests.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const [address, port, accountFile, maxBytes] = process.argv.slice(2)
const account = readFileSync(accountFile, 'utf8')
/** By key: a value, its version, and when it is dropped, in ms since the epoch; 0: never. */
const items = new Map()
let [bytes, versions] = [0, 0]

function find(key) {
  const item = items.get(key)
  if (item === undefined || item.until === 0 || item.until > Date.now()) return item
  drop(key)
}

function drop(key) {
  bytes -= items.get(key).value.length
  items.delete(key)
  return 'done'
}

function store({ key, value, seconds }) {
  const grown = bytes + value.length - (items.get(key)?.value.length ?? 0)
  if (grown > Number(maxBytes)) throw new Error('full')
  bytes = grown
  items.set(key, { value, cas: String(++versions), until: seconds === 0 ? 0 : Date.now() + seconds * 1000 })
  return 'done'
}

const commands = {
  login: () => 'done',
  server: () => ({ version: '1.0', maxBytes, persistence: 'none' }),
  get: ({ key }) => find(key) ?? null,
  gets: ({ key }) => find(key) ?? null,
  add: (request) => (find(request.key) === undefined ? store(request) : 'not stored'),
  set: store,
  cas: (request) => (find(request.key)?.cas === request.cas ? store(request) : 'changed'),
  delete: ({ key }) => (find(key) === undefined ? 'not found' : drop(key)),
  items: ({ key: prefix }) => [...items].filter(([key]) => key.startsWith(prefix)).map(([key, { value }]) => ({ key, value })),
}

createServer((socket) => {
  let admitted = false
  const answer = ({ command, ...request }) => {
    admitted ||= command === 'login' && account === `${request.user} ${request.password}`
    if (!admitted) throw new Error('denied')
    return commands[command](request)
  }
  const lines = createInterface({ input: socket.on('error', () => {}) }).on('error', () => {})
  lines.on('line', (line) => {
    try {
      socket.write(`${JSON.stringify({ said: answer(JSON.parse(line)) })}\n`)
    } catch ({ message }) {
      socket.write(`${JSON.stringify({ refused: message })}\n`)
    }
  })
}).listen(Number(port), address)
