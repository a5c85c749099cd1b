/** A scenario whose operations pick rows by their age. */
import { parseScenario } from '../../../src/scenario/read.ts'

export const textByAge = `name: aged
summary: "rows by age"
seed: 7
entities:
  order:
    count: 200k
    growth: 3%/month
    fields:
      id: { type: uuid, key: true }
      n: { type: int, range: [0, 9] }
      at: { type: timestamp, within: 5y }
  item:
    owned_by: order
    per_owner: { range: [1, 3] }
    fields: { q: { type: int, range: [1, 5] } }
operations:
  read: { get: order, pick: { last: { 30d: 90%, 1y: 9% } }, rate: 100/s, p99: 50ms }
  lines: { list: item, where: { q: any }, order_by: line, limit: 5, pick: { last: { 1y: 100% }, miss: 2% }, rate: 1/s, p99: 50ms }
  touch:
    transaction:
      - { update: order, set: { n: any }, pick: { last: { 3d: 50%, 2w: 40% } } }
      - { update: order, set: { n: any }, pick: { last: { 2y: 20%, 1month: 10% } } }
    rate: 1/s
    p99: 50ms
  add: { insert: order, with: [item], rate: 2/h, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [none]
`
export const scenarioByAge = parseScenario(textByAge, 'aged.yaml')
