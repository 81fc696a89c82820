#!lua flags=allow-oom
-- Purpose: publish what the leader computed, and wake the members.
-- KEYS[1] group state hash
-- KEYS[2] assignment hash
-- KEYS[3] owners hash
-- KEYS[4] events stream
-- KEYS[5] wake channel
-- ARGV[1] leader epoch of the caller
-- ARGV[2] generation that the assignment was computed for
-- ARGV[3] deputies, member ids joined by spaces
-- ARGV[4] number of partitions that change hands
-- ARGV[5] events to keep
-- ARGV[6] the incarnation of each topic in it: 'topic:incarnation', joined by spaces
-- ARGV[7] number of orphaned owner entries that follow
-- ARGV[8...] orphaned owner entries: partition, entry; then members: member id, encoded partitions
-- Returns: {'OK'} | {'STALE'}
-- Keeps: compare-and-set on (leader epoch, generation): of two leaders one wastes its computation, and an assignment
--        never outlives a change of what it was computed from.
local state, assignment, owners, events, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local leaderEpoch, generation, deputies, moves, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local incarnations, orphans = ARGV[6], tonumber(ARGV[7])

local current = redis.call('HMGET', state, 'leaderEpoch', 'generation')
if current[1] ~= leaderEpoch or current[2] ~= generation then
  return { 'STALE' }
end
-- An entry whose partition is assigned to nobody any more would otherwise stay for ever.
local index = 8
for _ = 1, orphans do
  if redis.call('HGET', owners, ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', owners, ARGV[index])
  end
  index = index + 2
end
redis.call('DEL', assignment)
while index < #ARGV do
  redis.call('HSET', assignment, ARGV[index], ARGV[index + 1])
  index = index + 2
end
redis.call('HSET', state, 'assignmentGeneration', generation, 'deputies', deputies,
  'incarnations', incarnations)
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'assigned', 'generation', generation, 'moves', moves,
  'leaderEpoch', leaderEpoch)
redis.call('SPUBLISH', wake, 'assignment')
return { 'OK' }
