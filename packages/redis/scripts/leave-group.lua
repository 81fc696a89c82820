#!lua flags=allow-oom
-- Purpose: remove a member that leaves in order.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- KEYS[4] events stream
-- KEYS[5] wake channel
-- KEYS[6] leader lock
-- ARGV[1] member id
-- ARGV[2] session
-- ARGV[3] events to keep
-- Returns: {'LEFT'} or {'UNKNOWN_MEMBER'} when it was not there, or another session holds the id
-- Keeps: a claim counts only while its member is in the group, so what the leaver had claimed is free at once and
--        `owners` needs no scan. A leader that could not resign before leaves no lock behind.
local state, members, beats, events, wake, lock = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local memberId, session, eventsToKeep = ARGV[1], ARGV[2], ARGV[3]

local held = redis.call('HGET', members, memberId)
if not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then
  return { 'UNKNOWN_MEMBER' }
end
redis.call('HDEL', members, memberId)
redis.call('HDEL', beats, memberId)
local generation = redis.call('HINCRBY', state, 'generation', 1)
if redis.call('HGET', state, 'leader') == memberId then
  redis.call('HSET', state, 'leader', '')
  redis.call('DEL', lock)
  redis.call('SPUBLISH', wake, 'leader-resigned')
end
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-left', 'member', memberId, 'generation', generation)
redis.call('SPUBLISH', wake, 'generation')
return { 'LEFT' }
