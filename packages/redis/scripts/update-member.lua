#!lua flags=allow-oom
-- Purpose: change what a member says of itself: its subscription, its capacity, or that it is about to leave.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] events stream
-- KEYS[4] wake channel
-- ARGV[1] member id
-- ARGV[2] session
-- ARGV[3] description, JSON
-- ARGV[4] what changed, for people
-- ARGV[5] events to keep
-- Returns: {'OK'} | {'UNKNOWN_MEMBER'}
-- Keeps: the generation rises with every change that an assignment is computed from. Sent twice it rises once.
local state, members, events, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local memberId, session, description, what, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local held = redis.call('HGET', members, memberId)
if not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then
  return { 'UNKNOWN_MEMBER' }
end
local value = session .. ' ' .. description
if held ~= value then
  redis.call('HSET', members, memberId, value)
  local generation = redis.call('HINCRBY', state, 'generation', 1)
  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-changed', 'member', memberId, 'what', what,
    'generation', generation)
  redis.call('SPUBLISH', wake, 'generation')
end
return { 'OK' }
