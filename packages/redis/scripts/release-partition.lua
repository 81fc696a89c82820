#!lua flags=allow-oom
-- Purpose: give the ownership of a partition up.
-- KEYS[1] group's hash of the partition
-- ARGV[1] epoch
-- ARGV[2] nonce
-- ARGV[3] server that the partition was acquired at
-- Returns: {'RELEASED'} | {'FENCED', epoch, owner}
--          {'SERVER_CHANGED', server} this one may hold less than the one that the partition was acquired at
-- Keeps: epoch, claim and committed offset stay, so the next owner fences and resumes as after a crash. Only the nonce
--        goes: no commit of this ownership is accepted afterwards.
local ownership = KEYS[1]
local epoch, nonce, acquiredAt = ARGV[1], ARGV[2], ARGV[3]

-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
if server ~= acquiredAt then
  return { 'SERVER_CHANGED', server }
end
local o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'owner')
if o[1] == epoch and not o[2] then
  return { 'RELEASED' }
end
if o[1] ~= epoch or o[2] ~= nonce then
  return { 'FENCED', o[1] or '0', o[3] or '' }
end
redis.call('HDEL', ownership, 'nonce', 'owner')
return { 'RELEASED' }
