#!lua flags=allow-oom
-- Purpose: remove a leader that is gone or resigns, so that the next one need not wait for the lock to expire.
-- KEYS[1] group state hash
-- KEYS[2] leader lock
-- KEYS[3] events stream
-- KEYS[4] wake channel
-- KEYS[5] presence channel of the leader
-- ARGV[1] member id of the leader
-- ARGV[2] leader epoch
-- ARGV[3] 'resigned' | 'gone' (its presence) | 'silent' (its lease)
-- ARGV[4] events to keep
-- Returns: {'OK'} | {'STALE'} another leader has been elected since | {'PRESENT'} it is back
-- Keeps: compared with the epoch, so a slow watcher cannot depose the successor of the leader it watched.
local state, lock, events, wake, presence = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local memberId, leaderEpoch, reason, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local current = redis.call('HMGET', state, 'leader', 'leaderEpoch')
if current[1] ~= memberId or current[2] ~= leaderEpoch then
  return { 'STALE' }
end
if reason == 'gone' and redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2] > 0 then
  return { 'PRESENT' }
end
redis.call('HSET', state, 'leader', '')
redis.call('DEL', lock)
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'leader-' .. reason, 'member', memberId, 'leaderEpoch', leaderEpoch)
redis.call('SPUBLISH', wake, 'leader-' .. reason)
return { 'OK' }
