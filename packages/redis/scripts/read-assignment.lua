#!lua flags=no-writes
-- Purpose: the whole published assignment, for a leader that has just been elected.
-- KEYS[1] group state hash
-- KEYS[2] assignment hash
-- Returns: {'OK', assignment generation, {member, encoded partitions, …}, incarnations of the topics or ''}
-- Keeps: nothing is written.
local state, assignment = KEYS[1], KEYS[2]

local v = redis.call('HMGET', state, 'assignmentGeneration', 'incarnations')
return { 'OK', v[1] or '0', redis.call('HGETALL', assignment), v[2] or '' }
