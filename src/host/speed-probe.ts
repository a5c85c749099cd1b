/** A process of its own on one of the server's cores: every few milliseconds it times a fixed piece of code, which takes longer when the host gives the core less. */
import { endWithParent } from '../replay/forked.ts'
import { codeToTime } from './speed-code.ts'

/** Microseconds of each, and when it ended, on the monotonic clock. */
export interface Timed {
  atNs: number[]
  us: number[]
}

const everyMs = 8
/** In one message. */
const batch = 16
/** Calls until the compiler has done with it, and what it then needs to put its work in place. */
const warmingCalls = 10_000
const compilingMs = 500
const input = 77

const timed = codeToTime()
const nowNs = () => Number(process.hrtime.bigint())

function warm(): void {
  for (let call = 0; call < warmingCalls; call++) timed(input)
}

let held: Timed = { atNs: [], us: [] }

/** The first pass brings the code into the second-level cache, wherever the server has pushed it: the second is timed, and always starts from there. */
function time(): void {
  timed(input)
  const startNs = nowNs()
  timed(input)
  const endNs = nowNs()
  held.atNs.push(endNs)
  held.us.push((endNs - startNs) / 1000)
  if (held.us.length < batch) return
  process.send?.(held)
  held = { atNs: [], us: [] }
}

warm()
setTimeout(() => {
  warm()
  process.send?.('ready')
  setInterval(time, everyMs)
}, compilingMs)
endWithParent()
