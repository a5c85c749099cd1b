/** How an error of a server travels from a lane to what counts it: one text, made once for each kind of error. */

/** Its code, which is the same for every engine, and behind a space the server's own name for it, where there is one. */
export const errorKey = (code: string, detail: string) => (detail === '' ? code : `${code} ${detail}`)

export function partsOfKey(key: string): { code: string; detail: string } {
  const at = key.indexOf(' ')
  return at < 0 ? { code: key, detail: '' } : { code: key.slice(0, at), detail: key.slice(at + 1) }
}
