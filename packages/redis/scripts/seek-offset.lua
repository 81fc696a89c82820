#!lua flags=allow-oom
-- Purpose: set the committed offset of an owned partition to any place in the log.
-- KEYS[1] group's hash of the partition
-- KEYS[2] partition state hash
-- ARGV[1] epoch
-- ARGV[2] nonce
-- ARGV[3] offset of the next record to consume
-- Returns: {'SOUGHT', offset before, offset now} | {'FENCED', epoch, owner} | {'OUT_OF_RANGE', log start, log end}
-- Keeps: the one way for a committed offset to go back, by the owner's wish; the caller writes it to the history.
local ownership, state = KEYS[1], KEYS[2]
local epoch, nonce, offset = ARGV[1], ARGV[2], ARGV[3]

local o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'committed', 'owner')
if o[1] ~= epoch or o[2] ~= nonce then
  return { 'FENCED', o[1] or '0', o[4] or '' }
end
local log = redis.call('HMGET', state, 'start', 'end')
if tonumber(offset) < tonumber(log[1] or '0') or tonumber(offset) > tonumber(log[2] or '0') then
  return { 'OUT_OF_RANGE', log[1] or '0', log[2] or '0' }
end
redis.call('HSET', ownership, 'committed', offset, 'fingerprint', '')
return { 'SOUGHT', o[3], offset }
