/** The scripts that read, and what the scripts that write are made of. A script's text is constant for a model: the server keeps it under its SHA-1. */
import { createHash } from 'node:crypto'

export interface Script {
  text: string
  sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * KEYS[1]: sorted set. ARGV: low, high (as ZRANGEBYLEX takes them), reversed 0|1, limit (-1: none), length of the key at the end of members,
 * prefix of the hashes, now or '', fields…
 * Answers the fields of each row. Rows that have expired, by their own time or with their hash, are passed over.
 */
export const pageScript = script(`
local low, high, reversed, limit, length, prefix, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local rows, offset = {}, 0
while limit < 0 or #rows < limit do
  local chunk = limit < 0 and 1000 or limit - #rows
  local members
  if reversed == '1' then members = redis.call('ZREVRANGEBYLEX', KEYS[1], high, low, 'LIMIT', offset, chunk)
  else members = redis.call('ZRANGEBYLEX', KEYS[1], low, high, 'LIMIT', offset, chunk) end
  for _, member in ipairs(members) do
    local hash = prefix .. string.sub(member, -length)
    local alive = true
    if now ~= '' then
      local expires = redis.call('HGET', hash, 'expires_at')
      alive = expires and tonumber(expires) > tonumber(now)
    end
    if alive then rows[#rows + 1] = redis.call('HMGET', hash, unpack(ARGV, 8)) end
  end
  if #members < chunk then break end
  offset = offset + chunk
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
-- From the sets where a row stood to those where it stands: each has set → member.
local function move(before, after)
  for set, member in pairs(before) do if after[set] ~= member then redis.call('ZREM', set, member) end end
  for set, member in pairs(after) do if before[set] ~= member then redis.call('ZADD', set, 0, member) end end
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
