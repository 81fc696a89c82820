#!lua flags=allow-oom
-- Purpose: make the winner of the leader lock the leader.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] events stream
-- ARGV[1] member id
-- ARGV[2] session
-- ARGV[3] events to keep
-- Returns: {'ELECTED', leader epoch} or {'UNKNOWN_MEMBER'}
-- Keeps: the leader epoch only rises. Every write of a leader compares it, so a former leader that still believes in
--        itself changes nothing.
local state, members, events = KEYS[1], KEYS[2], KEYS[3]
local memberId, session, eventsToKeep = ARGV[1], ARGV[2], ARGV[3]

local held = redis.call('HGET', members, memberId)
if not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then
  return { 'UNKNOWN_MEMBER' }
end
local epoch = redis.call('HINCRBY', state, 'leaderEpoch', 1)
redis.call('HSET', state, 'leader', memberId)
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'leader-elected', 'member', memberId, 'leaderEpoch', epoch)
return { 'ELECTED', string.format('%.0f', epoch) }
