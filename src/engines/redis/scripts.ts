/** The scripts that read, and what the scripts that write are made of. A script's text is constant for a model: the server keeps it under its SHA-1. */
import { createHash } from 'node:crypto'

export interface Script {
  text: string
  sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** What a script leaves out of a set, by the fields of a row's `hash`; with how many of its last arguments. */
export interface Condition {
  text: string
  words: number
}
const everything: Condition = { text: '', words: 0 }

/** Reads a member's row into `rows`, unless it has expired, by its own time or with its hash: `prefix`, `length` and `now` are arguments, `fields` the first of the fields. */
const visit = (fields: number, condition: Condition) => `
local function visit(member)
  local hash = prefix .. string.sub(member, -length)
  if now ~= '' then
    local expires = redis.call('HGET', hash, 'expires_at')
    if not expires or tonumber(expires) <= tonumber(now) then return end
  end${condition.text}
  rows[#rows + 1] = redis.call('HMGET', hash, unpack(ARGV, ${fields}${condition.words === 0 ? '' : `, #ARGV - ${condition.words}`}))
end`

/**
 * KEYS[1]: sorted set whose scores are all alike. ARGV: low, high (as ZRANGEBYLEX takes them), reversed 0|1, limit (-1: none), length of the key at the end of members,
 * prefix of the hashes, now or '', fields…, what the condition takes. Answers the fields of each row.
 */
export const pageScript = (condition = everything) =>
  script(`
local low, high, reversed, limit, length, prefix, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local rows, offset = {}, 0${visit(8, condition)}
while limit < 0 or #rows < limit do
  local chunk = limit < 0 and 1000 or limit - #rows
  local members
  if reversed == '1' then members = redis.call('ZREVRANGEBYLEX', KEYS[1], high, low, 'LIMIT', offset, chunk)
  else members = redis.call('ZRANGEBYLEX', KEYS[1], low, high, 'LIMIT', offset, chunk) end
  for _, member in ipairs(members) do visit(member) end
  if #members < chunk then break end
  offset = offset + chunk
end
return rows`)

/** Bytes as a set orders the members of one score. */
const compared = `
local function compared(a, b)
  for at = 1, math.min(#a, #b) do
    local difference = string.byte(a, at) - string.byte(b, at)
    if difference ~= 0 then return difference end
  end
  return #a - #b
end`

/** KEYS[1]: sorted set with a number as score. ARGV: score and member of a place, reversed 0|1. Answers how many members come before it, whether one stands there or not. */
export const placeScript = script(`${compared}
local score, place, reversed = ARGV[1], ARGV[2], ARGV[3] == '1'
local low = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. score)
local high = low + redis.call('ZCOUNT', KEYS[1], score, score)
while low < high do
  local middle = math.floor((low + high) / 2)
  local order = compared(redis.call('ZRANGE', KEYS[1], middle, middle)[1], place)
  if order < 0 or (order == 0 and reversed) then low = middle + 1 else high = middle end
end
return reversed and redis.call('ZCARD', KEYS[1]) - low or low`)

/**
 * KEYS[1]: sorted set with a number as score. ARGV: score and member that a page lies behind, or '' and ''; scores that a range goes from and up to, or '' and '';
 * reversed 0|1, limit (-1: none), length of the key at the end of members, prefix of the hashes, now or '', fields…, what the condition takes. Answers the fields of each row.
 * Members of one score lie in the order of their bytes: where the page begins among them is found by halving.
 */
export const rankScript = (condition = everything) =>
  script(`
local score, behind, from, to, reversed = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local limit, length, prefix, now = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local rows = {}${visit(10, condition)}
local function below(border) return redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. border) end${compared}
local first, last = 0, nil
if score ~= '' then
  local low = below(score)
  local high = low + redis.call('ZCOUNT', KEYS[1], score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local order = compared(redis.call('ZRANGE', KEYS[1], middle, middle)[1], behind)
    if order < 0 or (order == 0 and not reversed) then low = middle + 1 else high = middle end
  end
  if reversed then last = low else first = low end
end
last = last or redis.call('ZCARD', KEYS[1])
if from ~= '' then first, last = math.max(first, below(from)), math.min(last, below(to)) end
while first < last and (limit < 0 or #rows < limit) do
  local chunk = math.min(last - first, limit < 0 and 1000 or limit - #rows)
  local at = reversed and last - chunk or first
  local members = redis.call('ZRANGE', KEYS[1], at, at + chunk - 1)
  for index = 1, chunk do visit(members[reversed and chunk + 1 - index or index]) end
  if reversed then last = at else first = at + chunk end
end
return rows`)

/** KEYS[1]: hash from a unique field's values to keys. ARGV: value, prefix of the hashes, now or '', fields… Answers as a page of one row at most. */
export const findScript = script(`
local key = redis.call('HGET', KEYS[1], ARGV[1])
if not key then return {} end
local hash, now = ARGV[2] .. key, ARGV[3]
if now ~= '' then
  local expires = redis.call('HGET', hash, 'expires_at')
  if not expires or tonumber(expires) <= tonumber(now) then return {} end
end
return {redis.call('HMGET', hash, unpack(ARGV, 4))}`)

/** What scripts that write call, each where it is needed; in this order. */
export const helpers = {
  key: `
local k = 0
local function key() k = k + 1; return KEYS[k] end`,
  argument: `
local a = 0
local function argument() a = a + 1; return ARGV[a] end`,
  number: `
-- Eight bytes that sort as whole numbers do.
local function number(digits)
  local bytes = struct.pack('>i8', tonumber(digits))
  return string.char((string.byte(bytes) + 128) % 256) .. string.sub(bytes, 2)
end`,
  text: `
-- Bytes that sort as texts do, none a prefix of another.
local function text(value) return (string.gsub(value, '%z', '\\0\\255')) .. '\\0\\0' end`,
  move: `
-- From the sets where a row stood to those where it stands: each has set → score and member. A new score takes the place of the old one.
local function move(before, after)
  for set, old in pairs(before) do
    local new = after[set]
    if not new or new[2] ~= old[2] then redis.call('ZREM', set, old[2]) end
  end
  for set, new in pairs(after) do
    local old = before[set]
    if not old or new[1] ~= old[1] or new[2] ~= old[2] then redis.call('ZADD', set, new[1], new[2]) end
  end
end`,
  taken: `
-- Whether another row has this value of a unique field.
local function taken(hash, value, own)
  local other = redis.call('HGET', hash, value)
  return other and other ~= own
end
local refused = redis.error_reply('UNIQUE another row has this value of a unique field')`,
  commands: `
-- So many commands, each its name, the number of its words, its words; its key is the next of KEYS.
local function commands()
  for _ = 1, tonumber(argument()) do
    local name, words = argument(), tonumber(argument())
    redis.call(name, key(), unpack(ARGV, a + 1, a + words))
    a = a + words
  end
end`,
}

export type Helper = keyof typeof helpers

/** A text or bytes as Lua writes them. */
export function literal(value: string | Uint8Array): string {
  const bytes = Buffer.from(value as string)
  const letter = (byte: number) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`
  return `'${Array.from(bytes, letter).join('')}'`
}
