#!lua
-- Purpose: give a named producer an epoch that is higher than any before.
-- KEYS[1] hash of named producers: id -> 'epoch session'
-- ARGV[1] producer id
-- ARGV[2] session, fresh for every instance of the producer
-- ARGV[3] '1' to take the name whoever holds it, '0' to raise the epoch of a name that is held
-- Returns: {'RAISED', epoch}
--          {'FENCED'} a later instance has taken the name
-- Keeps: epochs of a name only rise, and only the instance that took the name last can raise them: an old instance that
--        is still alive cannot shut out its successor. Not below the server's time (ms), so that an epoch which a
--        failover forgot is not given out twice. Repeating a call skips an epoch and does no harm.
local producers = KEYS[1]
local producerId, session, isTaking = ARGV[1], ARGV[2], ARGV[3] == '1'

local held = redis.call('HGET', producers, producerId)
local heldEpoch, heldSession = 0, ''
if held then
  local epochText, sessionText = string.match(held, '^(%d+) (.*)$')
  heldEpoch, heldSession = tonumber(epochText), sessionText
end
if not isTaking and heldSession ~= session then
  return { 'FENCED' }
end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = string.format('%.0f', math.max(heldEpoch + 1, nowMs))
redis.call('HSET', producers, producerId, epoch .. ' ' .. session)
return { 'RAISED', epoch }
