#!lua flags=allow-oom
-- Purpose: tell a partition how much its log may keep.
-- KEYS[1] partition state hash
-- ARGV[1] incarnation of the log that is meant
-- ARGV[2] limits: '<version> <maxRecords> <maxBytes> <refuse or trim> <maxAgeMs> <trimCommittedAfterMs or never>', with
--         - where there is none
-- Returns: {'LIMITED'} | {'LATER_LIMITS', version} it has these, or later ones
--          {'OTHER_INCARNATION', incarnation} | {'UNKNOWN_PARTITION'}
-- Keeps: of two that were set, the later one stays, in whatever order they arrive.
local state = KEYS[1]
local incarnation, limits = ARGV[1], ARGV[2]

local function version(text)
  return tonumber(string.match(text, '^%d+'))
end

local s = redis.call('HMGET', state, 'incarnation', 'limits')
if not s[1] then
  return { 'UNKNOWN_PARTITION' }
end
if s[1] ~= incarnation then
  return { 'OTHER_INCARNATION', s[1] }
end
if s[2] and version(s[2]) >= version(limits) then
  return { 'LATER_LIMITS', string.match(s[2], '^%d+') }
end
redis.call('HSET', state, 'limits', limits)
return { 'LIMITED' }
