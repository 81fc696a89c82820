#!lua flags=no-writes
-- Purpose: how far a group is in a partition, for the leader's audit.
-- KEYS[1] group's hash of the partition
-- KEYS[2] partition state hash
-- Returns: {'OK', committed offset or '', log end or ''}
-- Keeps: both are of one moment, so the lag between them is real.
local ownership, state = KEYS[1], KEYS[2]

return { 'OK', redis.call('HGET', ownership, 'committed') or '', redis.call('HGET', state, 'end') or '' }
