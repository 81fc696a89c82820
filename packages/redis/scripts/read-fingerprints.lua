#!lua flags=no-writes
-- Purpose: what a log holds at the ends of batches that somebody has read or appended, to find out whether it went back.
-- KEYS[1] log stream
-- KEYS[2] partition state hash
-- ARGV[1...] offsets after the last record of each batch
-- Returns: {'OK', log start, log end, incarnation, server, {fingerprint of each, or ''}}
--          {'UNKNOWN_PARTITION'}
-- Keeps: all is of one moment. A batch of another size that ends elsewhere has no entry of that id: ''.
local log, state = KEYS[1], KEYS[2]

local s = redis.call('HMGET', state, 'start', 'end', 'incarnation')
if not s[2] then
  return { 'UNKNOWN_PARTITION' }
end
-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
local fingerprints = {}
for index = 1, #ARGV do
  local id = '0-' .. ARGV[index]
  local entry = redis.call('XRANGE', log, id, id)[1]
  local fields = entry and entry[2] or {}
  fingerprints[index] = ''
  -- The checksum lies behind the version, one byte: four bytes, the highest first.
  if fields[1] == 't' and fields[3] == 'b' and #fields[4] >= 16 then
    fingerprints[index] = fields[2] .. '-' .. string.format('%02x%02x%02x%02x', string.byte(fields[4], 2, 5))
  end
end
return { 'OK', s[1] or '0', s[2], s[3] or '', server, fingerprints }
