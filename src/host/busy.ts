/** What else used the machine when a run began, in words. */
export interface Busy {
  /** Used by others, on average. */
  cores: number
  /** The process of theirs that used most; null: many used a little, or none is to be seen from here. */
  chiefly: { command: string; pid: number } | null
}

export function busyText({ cores, chiefly }: Busy): string {
  const who = chiefly === null ? 'by no one process that is to be seen from here' : `chiefly by ${chiefly.command} (pid ${chiefly.pid})`
  return `${cores.toFixed(2)} cores used by others, ${who}`
}
