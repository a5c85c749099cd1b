/** The two scripts that everything atomic runs through: a page of a sorted set with its hashes, and a compared write. */

/**
 * KEYS[1]: sorted set. ARGV: low, high (as ZRANGEBYLEX takes them), reversed 0|1, limit (-1: none), prefix of the hashes, now or '', fields…
 * Answers the fields of each row. Rows that have expired, or whose hash is gone, are passed over.
 */
export const pageScript = `
local low, high, reversed, limit, prefix, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local fields = {}
for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
local rows, offset = {}, 0
while limit < 0 or #rows < limit do
  local chunk = limit < 0 and 1000 or limit - #rows
  local members
  if reversed == '1' then members = redis.call('ZREVRANGEBYLEX', KEYS[1], high, low, 'LIMIT', offset, chunk)
  else members = redis.call('ZRANGEBYLEX', KEYS[1], low, high, 'LIMIT', offset, chunk) end
  for _, member in ipairs(members) do
    local length = string.byte(member, -2) * 256 + string.byte(member, -1)
    local hash = prefix .. string.sub(member, -2 - length, -3)
    local alive = true
    if now ~= '' then
      local expires = redis.call('HGET', hash, 'expires_at')
      alive = expires and tonumber(expires) > tonumber(now)
    end
    if alive then rows[#rows + 1] = redis.call('HMGET', hash, unpack(fields)) end
  end
  if #members < chunk then break end
  offset = offset + chunk
end
return rows`

/**
 * ARGV: number of conditions, each hash, field, kind, value; number of commands, each its length and its words. Conditions: '=' the field has
 * that value, '-' the field is absent: else -1, read again; 'E' the hash exists, '>' the field is a greater number: else 0, nothing matched.
 * A command that starts with '?' runs where its key exists. Answers 1.
 */
export const writeScript = `
local at = 1
local function word() at = at + 1; return ARGV[at - 1] end
local refused = 1
for _ = 1, tonumber(word()) do
  local hash, field, kind, value = word(), word(), word(), word()
  if kind == 'E' then
    if redis.call('EXISTS', hash) == 0 then refused = math.min(refused, 0) end
  else
    local is = redis.call('HGET', hash, field)
    if kind == '>' then
      if not is or tonumber(is) <= tonumber(value) then refused = math.min(refused, 0) end
    elseif kind == '-' then
      if is then refused = -1 end
    elseif is ~= value then refused = -1 end
  end
end
if refused < 1 then return refused end
for _ = 1, tonumber(word()) do
  local command = {}
  for i = 1, tonumber(word()) do command[i] = word() end
  if string.sub(command[1], 1, 1) == '?' then
    command[1] = string.sub(command[1], 2)
    if redis.call('EXISTS', command[2]) == 1 then redis.call(unpack(command)) end
  else
    redis.call(unpack(command))
  end
end
return 1`
