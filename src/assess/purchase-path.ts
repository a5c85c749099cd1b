/** The cheapest way through the months: what is held in each of them and what it costs to change, by dynamic programming. */

/**
 * `costs[step][option]`: USD of holding an option for the whole step; Infinity where it cannot be held. `price` of a change between two options,
 * paid once, 0 for none. The first option is bought without one. Gives the option of each step.
 */
export function cheapestPath(costs: readonly (readonly number[])[], price: (from: number, to: number) => number): number[] {
  const [first = [], ...later] = costs
  let least = [...first]
  const cameFrom: number[][] = []
  for (const step of later) {
    const before = least
    const from = step.map((_, to) => {
      let best = to
      for (let option = 0; option < before.length; option++)
        if ((before[option] as number) + price(option, to) < (before[best] as number) + price(best, to)) best = option
      return best
    })
    cameFrom.push(from)
    least = step.map((usd, to) => {
      const option = from[to] as number
      return usd + (before[option] as number) + price(option, to)
    })
  }
  let last = 0
  for (let option = 1; option < least.length; option++) if ((least[option] as number) < (least[last] as number)) last = option
  const path = [last]
  for (let step = cameFrom.length - 1; step >= 0; step--) path.unshift((cameFrom[step] as number[])[path[0] as number] as number)
  return path
}
