#!lua flags=no-writes
-- Purpose: one member's part of the published assignment.
-- KEYS[1] group state hash
-- KEYS[2] assignment hash
-- ARGV[1] member id
-- Returns: {'OK', generation, assignment generation, leader, leader epoch, deputies, encoded partitions or '',
--           incarnations of the topics or ''}
-- Keeps: generation and partitions are of one moment. Who leads, and who watches the leader, has changed as likely as
--        the partitions: told along, a new deputy need not wait for its next heartbeat.
local state, assignment = KEYS[1], KEYS[2]
local memberId = ARGV[1]

local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies',
  'incarnations')
return { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',
  redis.call('HGET', assignment, memberId) or '', v[6] or '' }
