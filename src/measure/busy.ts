/** What else used the machine when a run began, in words. */
export interface Busy {
  /** Used by others, on average. */
  cores: number
  /** The process of theirs that used most; null: none that this one can see. */
  chiefly: { command: string; pid: number } | null
}

export function busyText({ cores, chiefly }: Busy): string {
  const who = chiefly === null ? 'by nothing that is to be seen from here' : `chiefly by ${chiefly.command} (pid ${chiefly.pid})`
  return `${cores.toFixed(2)} cores used by others, ${who}`
}
