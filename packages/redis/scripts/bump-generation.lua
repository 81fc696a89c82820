#!lua flags=allow-oom
-- Purpose: let the leader say that the topics behind the subscriptions have changed.
-- KEYS[1] group state hash
-- KEYS[2] events stream
-- ARGV[1] leader epoch of the caller
-- ARGV[2] generation that the caller saw
-- ARGV[3] what changed, for people
-- ARGV[4] events to keep
-- Returns: {'OK', generation} | {'STALE'}
-- Keeps: the generation rises with every change that an assignment is computed from.
local state, events = KEYS[1], KEYS[2]
local leaderEpoch, generation, what, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local current = redis.call('HMGET', state, 'leaderEpoch', 'generation')
if current[1] ~= leaderEpoch or (current[2] or '0') ~= generation then
  return { 'STALE' }
end
local raised = redis.call('HINCRBY', state, 'generation', 1)
redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'topics-changed', 'what', what, 'generation', raised)
return { 'OK', string.format('%.0f', raised) }
