#!lua flags=allow-oom
-- Purpose: renew a member's lease, and tell it in the same breath what it would otherwise have to poll for.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- ARGV[1] member id
-- ARGV[2] session
-- Returns: {'OK', generation, assignment generation, leader, leader epoch, deputies}
--          {'UNKNOWN_MEMBER'} evicted, or never joined
--          {'REPLACED'} another process took this member id
-- Keeps: a lease is renewed only by the session that holds it. The lease itself is judged by observers, by their own
--        clocks, from whether the counter moves; no time is stored.
local state, members, beats = KEYS[1], KEYS[2], KEYS[3]
local memberId, session = ARGV[1], ARGV[2]

local held = redis.call('HGET', members, memberId)
if not held then
  return { 'UNKNOWN_MEMBER' }
end
if string.sub(held, 1, #session + 1) ~= session .. ' ' then
  return { 'REPLACED' }
end
redis.call('HINCRBY', beats, memberId, 1)
local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')
return { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '' }
