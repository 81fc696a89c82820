#!lua flags=allow-oom
-- Purpose: set the committed offset of an owned partition to any place in the log.
-- KEYS[1] group's hash of the partition
-- KEYS[2] partition state hash
-- ARGV[1] epoch
-- ARGV[2] nonce
-- ARGV[3] offset of the next record to consume
-- ARGV[4] server that the partition was acquired at
-- ARGV[5] next nonce, fresh for every seek: what proves the ownership from now on
-- Returns: {'SOUGHT', offset before or nil, offset now} nil: this call was executed before, and its reply was lost
--          {'FENCED', epoch, owner} | {'OUT_OF_RANGE', log start, log end}
--          {'SERVER_CHANGED', server} this one may hold less than the one that the partition was acquired at
-- Keeps: the one way for a committed offset to go back, by the owner's wish; the caller writes it to the history.
--        A commit or a seek that was sent before and arrives late is refused, because it carries the nonce of before:
--        it cannot undo this one. Sent twice it changes nothing the second time.
local ownership, state = KEYS[1], KEYS[2]
local epoch, nonce, offset, acquiredAt, nextNonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
if server ~= acquiredAt then
  return { 'SERVER_CHANGED', server }
end
local o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'committed', 'owner')
if o[1] == epoch and o[2] == nextNonce then
  return { 'SOUGHT', false, o[3] }
end
if o[1] ~= epoch or o[2] ~= nonce then
  return { 'FENCED', o[1] or '0', o[4] or '' }
end
local log = redis.call('HMGET', state, 'start', 'end')
if tonumber(offset) < tonumber(log[1] or '0') or tonumber(offset) > tonumber(log[2] or '0') then
  return { 'OUT_OF_RANGE', log[1] or '0', log[2] or '0' }
end
redis.call('HSET', ownership, 'committed', offset, 'fingerprint', '', 'nonce', nextNonce)
redis.call('HDEL', ownership, 'resetFrom')
return { 'SOUGHT', o[3], offset }
