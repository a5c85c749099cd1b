/** How far a run is, in one line. */

const cells = 24

/** `left` is a prediction: where it is used up, the bar waits at its end. */
export function barText(elapsedSeconds: number, leftSeconds: number): string {
  const share = Math.min(0.99, elapsedSeconds / Math.max(1, elapsedSeconds + leftSeconds))
  const full = Math.floor(share * cells)
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)} ${Math.floor(share * 100)} %, ${duration(elapsedSeconds)} gone, about ${duration(leftSeconds)} left`
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
