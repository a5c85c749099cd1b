/** Tables from the CREATE TABLE statements of the MySQL family, whose KEY and UNSIGNED clauses the SQL parser does not read. */
import { apart, identifierOf } from './draft.ts'
import { type Token, tokensOf } from './mysql-text.ts'
import { type Column, plainColumn, type Table } from './tables.ts'

/** Empty where there is none. */
export function tablesOfMysql(text: string): Table[] {
  const tokens = [...tokensOf(text)].filter(({ kind }) => kind !== 'space')
  const tables: Table[] = []
  const taken = new Set<string>()
  // A dump of one database tells its name in a comment alone.
  let schema = /^-- Host: .*\bDatabase: (\S+)\s*$/m.exec(text)?.[1] ?? null
  for (let at = 0; at < tokens.length; at++) {
    if (isWord(tokens[at], 'USE') && isWord(tokens[at + 1])) schema = tokens[at + 1]?.text ?? null
    if (!isWord(tokens[at], 'CREATE')) continue
    let open = at + 1
    while (open < tokens.length && !isSign(tokens[open], '(', ';')) open++
    const head = tokens.slice(at + 1, open)
    if (!isSign(tokens[open], '(') || !head.some((each) => isWord(each, 'TABLE'))) continue
    const name = head.at(-1)?.text ?? ''
    const end = closing(tokens, open)
    const own = head.at(-2)?.text === '.' ? (head.at(-3)?.text ?? schema) : schema
    const plain = identifierOf(name)
    const entity = apart(taken.has(plain) && own !== null ? identifierOf(`${own}_${name}`) : plain, taken)
    tables.push(tableOf(entity, { schema: own, name }, split(tokens.slice(open + 1, end))))
    at = end
  }
  return tables.map((table) => ({ ...table, columns: table.columns.map((column) => linked(column, table, tables)) }))
}

/** References with the name of the entity that they lead to, which is of the same database. */
function linked(column: Column, { source }: Table, tables: Table[]): Column {
  if (column.references === undefined) return column
  const to = tables.find((each) => each.source?.name === column.references && each.source?.schema === source?.schema)
  return to === undefined ? column : { ...column, references: to.name }
}

const isWord = (token: Token | undefined, ...words: string[]) =>
  token !== undefined &&
  (words.length === 0 ? token.kind === 'word' || token.kind === 'name' : token.kind === 'word' && words.includes(token.text.toUpperCase()))

const isSign = (token: Token | undefined, ...signs: string[]) => token?.kind === 'sign' && signs.includes(token.text)

/** Of the bracket that closes this one, or the end of all. */
function closing(tokens: Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as Token
    if (kind !== 'sign') continue
    if (text === '(') depth++
    if (text === ')' && --depth === 0) return at
  }
  return tokens.length
}

/** At the commas outside of brackets. */
function split(tokens: Token[]): Token[][] {
  const items: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0
    if (token.kind === 'sign' && token.text === ',' && depth === 0) items.push([])
    else items.at(-1)?.push(token)
  }
  return items.filter((item) => item.length > 0)
}

function tableOf(name: string, source: NonNullable<Table['source']>, items: Token[][]): Table {
  const table: Table = { name, source, columns: [], key: [], rows: null }
  for (const item of items) {
    if (isWord(item[0], 'CONSTRAINT', 'PRIMARY', 'UNIQUE', 'FOREIGN', 'KEY', 'INDEX', 'FULLTEXT', 'SPATIAL', 'CHECK', 'PERIOD'))
      constrain(table, item)
    else addColumn(table, item)
  }
  return table
}

function constrain(table: Table, item: Token[]): void {
  const is = (...words: string[]) => item.slice(0, 3).some((token) => isWord(token, ...words))
  const names = namesIn(item, 0)
  const [first, another] = names
  if (is('PRIMARY')) table.key = names
  const column = another === undefined ? table.columns.find((each) => each.name === first) : undefined
  if (column === undefined) return
  if (is('UNIQUE')) column.unique = true
  if (is('FOREIGN')) column.references = referred(item)
}

/** In the first brackets. */
function namesIn(tokens: Token[], from: number): string[] {
  const open = tokens.findIndex(({ kind, text }, at) => at >= from && kind === 'sign' && text === '(')
  if (open < 0) return []
  return split(tokens.slice(open + 1, closing(tokens, open))).map(([name]) => identifierOf(name?.text ?? ''))
}

function referred(item: Token[]): string | undefined {
  const at = item.findIndex((token) => isWord(token, 'REFERENCES'))
  const name = item[at + 2]?.text === '.' ? item[at + 3] : item[at + 1]
  return at < 0 ? undefined : name?.text
}

function addColumn(table: Table, item: Token[]): void {
  const [name, type, open] = item
  const column = plainColumn(identifierOf(name?.text ?? ''))
  if (table.columns.some((each) => each.name === column.name)) return
  table.columns.push(column)
  const given = open?.kind === 'sign' && open.text === '(' ? split(item.slice(3, closing(item, 2))).flatMap(([token]) => token ?? []) : []
  column.sizes = given.filter(({ kind }) => kind === 'number').map(({ text }) => Number(text))
  column.type = typeOf((type?.text ?? '').toLowerCase(), column.sizes, item)
  if (column.type === 'enum') column.values = given.filter(({ kind }) => kind === 'text').map(({ text }) => ({ value: text, share: null }))
  const at = item.findIndex((token) => isWord(token, 'PRIMARY', 'UNIQUE'))
  if (isWord(item[at], 'PRIMARY')) table.key = [column.name]
  if (isWord(item[at], 'UNIQUE')) column.unique = true
}

/** JSON may be kept as a text that is checked, truth is a number. */
function typeOf(type: string, [size]: Column['sizes'], item: Token[]): string {
  if (item.some((token) => isWord(token, 'JSON_VALID'))) return 'json'
  if ((type === 'tinyint' || type === 'bit') && size === 1) return 'boolean'
  return type === 'year' ? 'smallint' : type
}
