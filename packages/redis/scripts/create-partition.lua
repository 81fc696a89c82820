#!lua
-- Purpose: bring the empty log of a partition into being.
-- KEYS[1] partition state hash
-- KEYS[2] log stream
-- ARGV[1] incarnation, '<stamp>-<random>': names this log, so that one which was deleted and created again is not
--         taken for it; of two, the one with the higher stamp was begun later
-- Returns: {'CREATED'}
--          {'EXISTS', log end} with this incarnation already
--          {'OTHER_INCARNATION', incarnation, log end} a log with records, or one that was made later
--          {'FOREIGN_LOG'} a stream without a state: not ours
-- Keeps: no record is ever dropped; an empty log that an unfinished creation left behind is taken over, but never by
--        a creation that was begun before it.
local state, log = KEYS[1], KEYS[2]
local incarnation = ARGV[1]

local function stamp(name)
  return tonumber(string.match(name, '^(%d+)-')) or 0
end

local known = redis.call('HMGET', state, 'incarnation', 'end')
if known[1] == incarnation then
  return { 'EXISTS', known[2] }
end
if known[1] and (known[2] ~= '0' or stamp(known[1]) >= stamp(incarnation)) then
  return { 'OTHER_INCARNATION', known[1], known[2] }
end
if redis.call('EXISTS', log) == 1 then
  return { 'FOREIGN_LOG' }
end
-- What was limited by that creation was another topic.
redis.call('HDEL', state, 'limits', 'full', 'bytesSince')
redis.call('HSET', state, 'incarnation', incarnation, 'start', '0', 'end', '0', 'bytes', '0')
return { 'CREATED' }
