/** SQL of the MySQL family as tokens, and statements without their values. Text of strangers: it is read once from left to right, whatever it is. */

export interface Token {
  /** `name`: in backquotes, which are not in `text`. `space`: comments, too. */
  kind: 'space' | 'word' | 'name' | 'text' | 'number' | 'sign'
  text: string
}

const space = /(?:\s+|\/\*[\s\S]*?(?:\*\/|$)|--(?=\s|$)[^\n]*|#[^\n]*)+/y
const number = /0x[\da-f]+|0b[01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\w$])/iy
const word = /[\w$@\u0080-\uffff]+/y

export function* tokensOf(sql: string): Generator<Token> {
  for (let at = 0; at < sql.length; ) {
    const quote = sql[at] as string
    const [kind, end] =
      quote === "'" || quote === '"' || quote === '`' ? ([quote === '`' ? 'name' : 'text', endOfQuoted(sql, at)] as const) : plain(sql, at)
    const text = sql.slice(at, end)
    yield { kind, text: kind === 'name' || kind === 'text' ? unquoted(text, quote) : text }
    at = end
  }
}

function plain(sql: string, at: number): readonly [Token['kind'], number] {
  for (const [kind, pattern] of [
    ['space', space],
    ['number', number],
    ['word', word],
  ] as const) {
    pattern.lastIndex = at
    if (pattern.test(sql)) return [kind, pattern.lastIndex]
  }
  return ['sign', at + 1]
}

/** Behind the quote that ends it, or the end of all. */
function endOfQuoted(sql: string, start: number): number {
  const quote = sql[start]
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === '\\' && quote !== '`') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1
      at++
    }
  }
  return sql.length
}

function unquoted(text: string, quote: string): string {
  const inner = text.slice(1, text.length > 1 && text.endsWith(quote) ? -1 : undefined).replaceAll(quote + quote, quote)
  return quote === '`' ? inner : inner.replaceAll(/\\([\s\S])/g, '$1')
}

/** With `?` in place of values; numbers stay where they say how many rows or which column. `tuples`: rows that it brings. */
export function withoutValues(sql: string): { text: string; tuples: number } {
  const out: string[] = []
  /** The last word, and whether numbers behind it stay: a limit, columns by number. */
  let last = ''
  let tuples = 0
  let depth = 0
  let depthOfValues = -1
  const isDropped = () => depthOfValues >= 0 && tuples > 1
  for (const { kind, text } of tokensOf(sql)) {
    if (kind === 'space') {
      if (out.at(-1) !== ' ' && !isDropped()) out.push(' ')
      continue
    }
    if (text === '(' && kind === 'sign' && depth++ === depthOfValues) tuples++
    if (text === ')' && kind === 'sign') depth--
    const isBetweenRows = depth === depthOfValues && tuples > 0 && text !== ')'
    if (isBetweenRows && kind === 'word') {
      // Behind the rows comes what is done where they are there already.
      depthOfValues = -1
      if (out.at(-1) !== ' ') out.push(' ')
    }
    if (isDropped() || (isBetweenRows && text === ',')) continue
    if (kind === 'word' && /^values?$/i.test(text) && tuples === 0 && depth === 0) depthOfValues = depth
    if (kind === 'word') last = text.toUpperCase()
    if (kind === 'number') pushNumber(out, text, last)
    else if (kind === 'text') pushText(out)
    else if (text === ',' && last === 'LIMIT') {
      // `LIMIT 40, 20`: the first of them says where it begins.
      const at = out.findLastIndex((each) => each !== ' ')
      out[at] = '?'
      out.push(text)
      last = 'LIMIT,'
    } else out.push(kind === 'name' ? `\`${text.replaceAll('`', '``')}\`` : text)
  }
  return { text: tidy(out.join('')), tuples }
}

function pushNumber(out: string[], text: string, last: string): void {
  const before = out.findLast((each) => each !== ' ') ?? ''
  if ((last === 'LIMIT' && /^limit$/i.test(before)) || (last === 'LIMIT,' && before === ',') || (last === 'BY' && /^(by|,)$/i.test(before)))
    out.push(text)
  else out.push('?')
}

/** `x'00'`, `_utf8'a'`, `TIMESTAMP'…'` are one value. */
function pushText(out: string[]): void {
  if (/^([nxb]|_\w+|timestamp|date|time)$/i.test(out.at(-1) ?? '')) out.pop()
  out.push('?')
}

const hints = /\s(?:use|force|ignore)\s+(?:index|key)(?:\s+for\s+(?:join|order\s+by|group\s+by))?\s*\([^()]{0,500}\)/gi

/** Lists of values are as long as they happen to be; signs belong to their numbers; which index is taken says nothing of what is asked. */
function tidy(text: string): string {
  let end = text.length
  while (end > 0 && /[\s,;]/.test(text[end - 1] as string)) end--
  return text
    .slice(0, end)
    .replaceAll(hints, '')
    .replaceAll(/([(,=<>]\s?)-\s?\?/g, '$1?')
    .replaceAll(/\bin\s?\(\s?\?(?:\s?,\s?\?)*\s?\)/gi, 'IN (?)')
    .trim()
}
