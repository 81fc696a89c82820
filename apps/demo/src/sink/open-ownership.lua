#!lua
-- Purpose: notes that a worker has become the owner of a partition, and shuts out the owners before it.
-- KEYS[1] the history: list, one entry a call that was let in, oldest first
-- KEYS[2] the fence: hash, see apply-change.lua
-- ARGV[1] epoch of the ownership
-- ARGV[2] worker that owns the partition now
-- Returns: {'OPENED'} or {'REFUSED', <epoch that stands>}
-- Keeps: the epoch of the fence only rises.
local history, fence = KEYS[1], KEYS[2]
local epoch, worker = ARGV[1], ARGV[2]

local standing = redis.call('hget', fence, 'epoch')
if standing and tonumber(epoch) < tonumber(standing) then
  return { 'REFUSED', standing }
end

local time = redis.call('time')
redis.call('rpush', history, string.format('opened %s %s %s%06d', epoch, worker, time[1], time[2]))
redis.call('hset', fence, 'epoch', epoch)
return { 'OPENED' }
