#!lua
-- Purpose: folds one change into a partition's tree, unless a newer owner of the partition has written already.
-- KEYS[1] the tree: hash, path -> "<mode> <object id>"
-- KEYS[2] the history: list, one entry a call that was let in, oldest first
-- KEYS[3] the fence: hash, epoch, next (offset after the highest applied), applied (calls), refused (calls)
-- ARGV[1] epoch of the caller's ownership
-- ARGV[2] offset of the record
-- ARGV[3] worker that calls
-- ARGV[4] append time of the record (ms since 1970)
-- ARGV[5] path
-- ARGV[6] "<mode> <object id>", or empty where the path is gone
-- Returns: {'APPLIED'} or {'REFUSED', <epoch that stands>}
-- Keeps: once epoch n has written, nothing of an epoch below n is written.
local tree, history, fence = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset, worker = ARGV[1], ARGV[2], ARGV[3]
local appended, path, entry = ARGV[4], ARGV[5], ARGV[6]

local standing = redis.call('hget', fence, 'epoch')
if standing and tonumber(epoch) < tonumber(standing) then
  redis.call('hincrby', fence, 'refused', 1)
  return { 'REFUSED', standing }
end

if entry == '' then
  redis.call('hdel', tree, path)
else
  redis.call('hset', tree, path, entry)
end

local time = redis.call('time')
local line = string.format('applied %s %s %s%06d %s %s', epoch, worker, time[1], time[2], offset, appended)
redis.call('rpush', history, line)
local following = string.format('%.0f', tonumber(offset) + 1)
local reached = redis.call('hget', fence, 'next')
if not reached or tonumber(reached) < tonumber(following) then
  redis.call('hset', fence, 'next', following)
end
redis.call('hset', fence, 'epoch', epoch)
redis.call('hincrby', fence, 'applied', 1)
return { 'APPLIED' }
