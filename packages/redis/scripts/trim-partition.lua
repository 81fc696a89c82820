#!lua flags=allow-oom
-- Purpose: take away what a partition's log need not keep any more: whole batches, the oldest first.
-- KEYS[1] log stream
-- KEYS[2] partition state hash
-- KEYS[3] set of the partition's groups
-- KEYS[4...] the groups' hashes of the partition, in the order of ARGV[4...]
-- ARGV[1] incarnation of the log that is meant
-- ARGV[2] limits as the catalogue has them, see limit-partition; empty for none
-- ARGV[3] how long after its append a batch stays that all groups have committed (ms), where the limits do not say
-- ARGV[4...] the groups
-- Returns: {'TRIMMED', log start, log end, bytes, batches trimmed, wait (ms), 'pressed' or ''} wait: nothing is due by its
--          age before, 0 when this call has reached its bound, empty when a commit has to come first
--          {'GROUPS_CHANGED', {the groups}} the caller's are not the present ones: nothing was done
--          {'OTHER_INCARNATION', incarnation} | {'UNKNOWN_PARTITION'}
-- Keeps: what a group has not committed stays, unless the limits name an age or say trim. The newest batch stays even then,
--        until all groups have committed it: who was overtaken finds out by it. One call takes at most 1000 batches and
--        8 MiB, and one batch more. `bytes` is the sum of the batches in the log.
local log, state, groups = KEYS[1], KEYS[2], KEYS[3]
local incarnation, catalogued, defaultKeepMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local firstGroupKey, firstGroup = 4, 4

local maxTrimmed, maxTrimmedBytes = 1000, 8388608

local function text(number)
  return string.format('%.0f', number)
end

local s = redis.call('HMGET', state, 'start', 'end', 'bytes', 'bytesSince', 'incarnation', 'limits', 'full')
if not s[2] then
  return { 'UNKNOWN_PARTITION' }
end
if s[5] ~= incarnation then
  return { 'OTHER_INCARNATION', s[5] or '' }
end
local listed, expected = redis.call('SMEMBERS', groups), {}
for index = firstGroup, #ARGV do
  expected[ARGV[index]] = true
end
local isSame = #listed == #ARGV - firstGroup + 1
for _, group in ipairs(listed) do
  isSame = isSame and expected[group]
end
if not isSame then
  return { 'GROUPS_CHANGED', listed }
end

local start, logEnd, limits = tonumber(s[1]) or 0, tonumber(s[2]), s[6]
-- A failover may have taken the limits back, or the caller that set them did not come this far.
if catalogued ~= '' then
  local has = tonumber(string.match(limits or '0', '^%d+'))
  if tonumber(string.match(catalogued, '^%d+')) > has then
    limits = catalogued
    redis.call('HSET', state, 'limits', limits)
  end
end
local maxRecords, maxBytes, onFull, maxAgeMs, keepMs
if limits then
  maxRecords, maxBytes, onFull, maxAgeMs, keepMs = string.match(limits, '^%S+ (%S+) (%S+) (%S+) (%S+) (%S+)$')
  maxRecords, maxBytes, maxAgeMs = tonumber(maxRecords), tonumber(maxBytes), tonumber(maxAgeMs)
end
local keepsCommitted = keepMs == 'never'
keepMs = tonumber(keepMs) or defaultKeepMs

-- Nobody's commit is what all have committed where nobody commits.
local committed = #listed > 0 and logEnd or 0
for index = firstGroupKey, #KEYS do
  committed = math.min(committed, tonumber(redis.call('HGET', KEYS[index], 'committed')) or 0)
end

local bytes, bytesSince = tonumber(s[3]) or 0, s[3] and tonumber(s[4] or '0') or logEnd
local function isOver(share)
  return (maxRecords and logEnd - start > maxRecords * share) or (maxBytes and bytes > maxBytes * share) or false
end
-- Under a limit that refuses, room for what comes is worth more than a while to go back to what is done.
local function isPressed()
  return onFull == 'refuse' and (maxRecords or maxBytes) and (s[7] == '1' or isOver(0.5))
end

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local wait, trimmed, trimmedBytes = nil, 0, 0
while true do
  local mayTrim = maxAgeMs or (onFull == 'trim' and isOver(1)) or (not keepsCommitted and start < committed)
  local entry = mayTrim and redis.call('XRANGE', log, '(0-' .. text(start), '+', 'COUNT', 1)[1]
  if not entry then
    break
  end
  local nextOffset = tonumber(string.match(entry[1], '^0%-(%d+)$'))
  -- What somebody else wrote is no batch, and lies behind the end: appends report it.
  if not nextOffset or nextOffset > logEnd then
    break
  end
  local ageMs = nowMs - tonumber(entry[2][2])
  local isCommitted = nextOffset <= committed
  wait = nil
  if isCommitted and not keepsCommitted then
    wait = isPressed() and 0 or keepMs - ageMs
  end
  if isCommitted or #listed == 0 or nextOffset < logEnd then
    if maxAgeMs then
      wait = math.min(wait or maxAgeMs, maxAgeMs - ageMs)
    end
    if onFull == 'trim' and isOver(1) then
      wait = 0
    end
  end
  if not wait or wait > 0 then
    break
  end
  if trimmed == maxTrimmed or trimmedBytes >= maxTrimmedBytes then
    wait = 0
    break
  end
  start, trimmed, trimmedBytes = nextOffset, trimmed + 1, trimmedBytes + #entry[2][4]
  if nextOffset > bytesSince then
    bytes = math.max(0, bytes - #entry[2][4])
  end
  wait = nil
end
if start >= logEnd then
  -- Nothing is there: what comes next is not due before it is so old.
  wait = not keepsCommitted and keepMs > 0 and keepMs or nil
  wait = maxAgeMs and math.min(wait or maxAgeMs, maxAgeMs) or wait
end
if trimmed > 0 then
  redis.call('XTRIM', log, 'MINID', '=', '0-' .. text(start + 1))
  redis.call('HSET', state, 'start', text(start))
  if s[3] then
    redis.call('HSET', state, 'bytes', text(bytes))
  end
end
local pressed = isPressed() and 'pressed' or ''
if s[7] then
  redis.call('HDEL', state, 'full')
end
return { 'TRIMMED', text(start), text(logEnd), text(bytes), text(trimmed), wait and text(math.max(0, wait)) or '', pressed }
