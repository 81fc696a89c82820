#!lua flags=no-writes
-- Purpose: everything a leader decides from, as of one moment.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- KEYS[4] owners hash
-- Returns: {'OK', generation, assignment generation, leader, leader epoch, deputies, {member, value, …},
--           {member, beat, …}, {partition, owner, …}}
-- Keeps: nothing is written.
local state, members, beats, owners = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')
return { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',
  redis.call('HGETALL', members), redis.call('HGETALL', beats), redis.call('HGETALL', owners) }
