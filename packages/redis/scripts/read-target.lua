#!lua flags=no-writes
-- Purpose: one member's part of the published assignment.
-- KEYS[1] group state hash
-- KEYS[2] assignment hash
-- ARGV[1] member id
-- Returns: {'OK', assignment generation, encoded partitions or ''}
-- Keeps: generation and partitions are of one moment.
local state, assignment = KEYS[1], KEYS[2]
local memberId = ARGV[1]

return { 'OK', redis.call('HGET', state, 'assignmentGeneration') or '0', redis.call('HGET', assignment, memberId) or '' }
