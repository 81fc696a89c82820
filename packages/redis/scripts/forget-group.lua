#!lua flags=allow-oom
-- Purpose: remove what a partition keeps of a deleted group: its committed offset and its last ownership.
-- KEYS[1] group's hash of the partition
-- KEYS[2] set of the partition's groups
-- ARGV[1] group
-- ARGV[2] epoch of the last ownership, as it was read before the group was deleted; 0 for none
-- Returns: {'FORGOTTEN'} or it was not there
--          {'ACQUIRED', epoch} somebody has begun to use the group's name again: nothing was removed
-- Keeps: a deletion cannot take the committed offset from under an owner that came after it.
local ownership, groups = KEYS[1], KEYS[2]
local group, epoch = ARGV[1], ARGV[2]

local present = redis.call('HGET', ownership, 'epoch')
if present and present ~= epoch then
  return { 'ACQUIRED', present }
end
redis.call('UNLINK', ownership)
redis.call('SREM', groups, group)
return { 'FORGOTTEN' }
