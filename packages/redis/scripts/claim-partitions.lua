#!lua flags=allow-oom
-- Purpose: note in the group's slot that a member takes over partitions that are assigned to it and free.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] owners hash
-- ARGV[1] member id
-- ARGV[2] session
-- ARGV[3] assignment generation that the member acts on
-- ARGV[4] lowest number that this claim may have, '0' normally; above it after the counter was rolled back
-- ARGV[5...] partitions, 'topic/partition'
-- Returns: {'CLAIMED', claim number, {for each partition: '' when granted, else the member id that holds it}}
--          {'STALE_ASSIGNMENT'} | {'UNKNOWN_MEMBER'}
-- Keeps: release before grant: a partition that a living member still claims is not given away. Claim numbers only
--        rise, so the partition's own slot can tell an older claim from a newer one.
local state, members, owners = KEYS[1], KEYS[2], KEYS[3]
local memberId, session, assignmentGeneration, lowest = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local held = redis.call('HGET', members, memberId)
if not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then
  return { 'UNKNOWN_MEMBER' }
end
if redis.call('HGET', state, 'assignmentGeneration') ~= assignmentGeneration then
  return { 'STALE_ASSIGNMENT' }
end
local claim = redis.call('HINCRBY', state, 'claims', 1)
if claim < lowest then
  claim = lowest
  redis.call('HSET', state, 'claims', string.format('%.0f', claim))
end
local number = string.format('%.0f', claim)
local results = {}
for index = 5, #ARGV do
  local entry = redis.call('HGET', owners, ARGV[index])
  local owner = entry and string.sub(entry, string.find(entry, ' ', 1, true) + 1)
  -- A claim lives only as long as its member is in the group: eviction need not touch the owners.
  if owner and owner ~= memberId and redis.call('HEXISTS', members, owner) == 1 then
    results[#results + 1] = owner
  else
    redis.call('HSET', owners, ARGV[index], number .. ' ' .. memberId)
    results[#results + 1] = ''
  end
end
return { 'CLAIMED', number, results }
