/** The Universal Scalability Law of one size of server in words, by both ways it is fitted. */

import type { Scalability } from '../assess/capacity/scaling.ts'
import { count } from './render/format.ts'

/** `inFlight`: operations at what one server carries; null: unknown. */
export function scalabilityText(law: Scalability | null, inFlight: number | null): string {
  if (law === null) return 'Too few concurrencies for a scalability law.'
  const { contention, coherency, standardErrors, byThroughput, warning } = law
  const [, ofContention, ofCoherency] = standardErrors
  const carried = inFlight === null ? '' : `; at what one server carries, ${inFlightText(inFlight)} in flight on average`
  return [
    `Universal Scalability Law, least squares on logarithms of the throughput: λ ${count(law.single)}/s, σ ${withError(contention, ofContention)}, κ ${withError(coherency, ofCoherency)}${highestText(law)}.`,
    `On the throughput itself, where the highest weigh most: λ ${count(byThroughput.single)}/s, σ ${digits(byThroughput.contention)}, κ ${digits(byThroughput.coherency)}${highestText(byThroughput)}.`,
    `It describes this size of server only${carried}.`,
    ...(warning === null ? [] : [`${warning}.`]),
  ].join(' ')
}

function highestText({ mostPerSecond, bestConcurrency }: Pick<Scalability, 'mostPerSecond' | 'bestConcurrency'>): string {
  if (mostPerSecond === null) return ''
  return `, at most ${count(mostPerSecond)}/s${bestConcurrency === null ? '' : ` with ${count(bestConcurrency)} in flight`}`
}

const digits = (value: number) => (value === 0 ? '0' : value.toPrecision(2))

function withError(value: number, error: number | null): string {
  if (error !== null) return `${digits(value)} ± ${error.toPrecision(1)}`
  return `${digits(value)} ${value <= 0 || value >= 1 ? '(at its bound)' : '(no more points than parameters: its error is unknown)'}`
}

const inFlightText = (inFlight: number) => {
  const text = count(inFlight)
  return text === '1' ? '1 operation is' : `${text} operations are`
}
