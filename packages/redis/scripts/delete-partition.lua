#!lua flags=allow-oom
-- Purpose: remove everything that is kept for a partition.
-- KEYS[1] partition state hash
-- KEYS[2] log stream
-- KEYS[3] hash of the partition's producers
-- KEYS[4] sorted set of the partition's producers
-- KEYS[5] set of the partition's groups
-- KEYS[6...] the groups' hashes of the partition, in the order of ARGV[2...]
-- ARGV[1] incarnation that the caller wants removed
-- ARGV[2...] the groups
-- Returns: {'DELETED'} or it was not there
--          {'OTHER_INCARNATION', incarnation} a newer log has this place: somebody else finished the deletion
--          {'GROUPS_CHANGED'} the caller's list of groups is not the present one: read it again
-- Keeps: no key of the partition is left behind; a deletion that was slow cannot remove a log created since.
local state, log, producers, producerTimes, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local incarnation = ARGV[1]
local firstGroupKey, firstGroup = 6, 2

local known = redis.call('HGET', state, 'incarnation')
if known and known ~= incarnation then
  return { 'OTHER_INCARNATION', known }
end
local listed = #ARGV - firstGroup + 1
if redis.call('SCARD', groups) ~= listed then
  return { 'GROUPS_CHANGED' }
end
for index = 0, listed - 1 do
  if redis.call('SISMEMBER', groups, ARGV[firstGroup + index]) == 0 then
    return { 'GROUPS_CHANGED' }
  end
end
for index = 0, listed - 1 do
  redis.call('UNLINK', KEYS[firstGroupKey + index])
end
redis.call('UNLINK', log, state, producers, producerTimes, groups)
return { 'DELETED' }
