#!lua flags=allow-oom
-- Purpose: move the committed offset of an owned partition forward.
-- KEYS[1] group's hash of the partition
-- KEYS[2] partition state hash
-- ARGV[1] epoch
-- ARGV[2] nonce
-- ARGV[3] offset of the next record to consume
-- ARGV[4] fingerprint of the batch that holds the record before it, or ''
-- ARGV[5] server that the partition was acquired at
-- Returns: {'COMMITTED', committed offset now stored} | {'FENCED', epoch, owner} | {'BEYOND_END', log end}
--          {'SERVER_CHANGED', server} this one may hold less than the one that the partition was acquired at
-- Keeps: only the current (epoch, nonce) commits, and only at the server that gave it out; the offset never goes back
--        and never passes the log end. Sent twice it changes nothing the second time.
local ownership, state = KEYS[1], KEYS[2]
local epoch, nonce, offset, fingerprint, acquiredAt = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
if server ~= acquiredAt then
  return { 'SERVER_CHANGED', server }
end
local o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'committed', 'owner', 'resetFrom')
if o[1] ~= epoch or o[2] ~= nonce then
  return { 'FENCED', o[1] or '0', o[4] or '' }
end
local wanted = tonumber(offset)
if wanted <= tonumber(o[3]) then
  return { 'COMMITTED', o[3] }
end
local logEnd = redis.call('HGET', state, 'end') or '0'
if wanted > tonumber(logEnd) then
  return { 'BEYOND_END', logEnd }
end
redis.call('HSET', ownership, 'committed', offset, 'fingerprint', fingerprint)
if o[5] then
  redis.call('HDEL', ownership, 'resetFrom')
end
return { 'COMMITTED', offset }
