#!lua flags=allow-oom
-- Purpose: remove a member that the leader has found dead.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- KEYS[4] events stream
-- KEYS[5] wake channel
-- KEYS[6] presence channel of the member
-- ARGV[1] leader epoch of the caller
-- ARGV[2] member id
-- ARGV[3] beat at which the leader saw it last
-- ARGV[4] 'presence' | 'lease'
-- ARGV[5] events to keep
-- Returns: {'OK'} | {'STALE'} the caller leads no longer | {'ALIVE'} it has renewed or come back | {'UNKNOWN_MEMBER'}
-- Keeps: a member that shows life between the observation and this call is not evicted.
local state, members, beats, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wake, presence = KEYS[5], KEYS[6]
local leaderEpoch, memberId, seenBeat, reason, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if (redis.call('HGET', state, 'leaderEpoch') or '0') ~= leaderEpoch then
  return { 'STALE' }
end
if redis.call('HEXISTS', members, memberId) == 0 then
  return { 'UNKNOWN_MEMBER' }
end
-- Also where it is the presence that is gone: a member whose connection is back renews before it is subscribed again.
if redis.call('HGET', beats, memberId) ~= seenBeat then
  return { 'ALIVE' }
end
if reason == 'presence' and redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2] > 0 then
  return { 'ALIVE' }
end
redis.call('HDEL', members, memberId)
redis.call('HDEL', beats, memberId)
local generation = redis.call('HINCRBY', state, 'generation', 1)
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-evicted', 'member', memberId, 'reason', reason,
  'generation', generation)
redis.call('SPUBLISH', wake, 'generation')
return { 'OK' }
