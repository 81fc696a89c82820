#!lua flags=allow-oom
-- Purpose: become the owner of a partition for a group, fencing whoever owned it before.
-- KEYS[1] group's hash of the partition
-- KEYS[2] partition state hash
-- KEYS[3] set of the partition's groups
-- ARGV[1] group
-- ARGV[2] member id
-- ARGV[3] nonce, fresh for every ownership
-- ARGV[4] number of the claim in the group's slot
-- ARGV[5] offset reset: 'earliest' | 'latest' | 'fail'
-- Returns: {'ACQUIRED', epoch, committed, log start, log end, incarnation, fingerprint, server, reset from or nil}
--          {'SUPERSEDED', claim number, owner} a later claim has been here, or this number in another member's name
--          {'NO_OFFSET', committed or '', log start, log end} with 'fail'
--          {'UNKNOWN_PARTITION'}
-- Keeps: epochs only rise, and a rolled back slot cannot hand out an epoch again: it is at least the server's time.
--        A member that slept between claim and acquire cannot fence its heir, whose claim is later. A reset is told
--        again and again until its owner has committed or sought: a lost reply, or a crash, does not make it silent.
local ownership, state, groups = KEYS[1], KEYS[2], KEYS[3]
local group, memberId, nonce, claim, reset = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
local log = redis.call('HMGET', state, 'start', 'end', 'incarnation')
if not log[2] then
  return { 'UNKNOWN_PARTITION' }
end
local logStart, logEnd = log[1] or '0', log[2]
local o = redis.call('HMGET', ownership, 'claim', 'owner', 'nonce', 'epoch', 'committed', 'fingerprint', 'resetFrom')
local seenClaim, owner, seenNonce, epoch, committed, fingerprint = o[1], o[2], o[3], o[4], o[5], o[6] or ''
local resetFrom = o[7]
local isLater = seenClaim and tonumber(seenClaim) > tonumber(claim)
-- A group's slot that was rolled back gives a number out twice: the second claim is the later one, whoever comes first.
local isTwin = seenClaim and tonumber(seenClaim) == tonumber(claim) and owner and owner ~= memberId
if isLater or isTwin then
  return { 'SUPERSEDED', seenClaim, owner or '' }
end
-- The same call once more: its first reply was lost.
if seenNonce == nonce then
  return { 'ACQUIRED', epoch, committed, logStart, logEnd, log[3], fingerprint, server, resetFrom }
end

local outside = committed and (tonumber(committed) < tonumber(logStart) or tonumber(committed) > tonumber(logEnd))
if not committed or outside then
  if reset == 'fail' then
    return { 'NO_OFFSET', committed or '', logStart, logEnd }
  end
  resetFrom = resetFrom or committed or ''
  -- A log that ends below the offset has lost its tail: nothing between is to be read twice, so its end is next.
  if outside and tonumber(committed) > tonumber(logEnd) then
    committed = logEnd
  else
    committed = reset == 'latest' and logEnd or logStart
  end
  fingerprint = ''
end

local time = redis.call('TIME')
local nextEpoch = math.max((tonumber(epoch) or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))
local written = string.format('%.0f', nextEpoch)
redis.call('HSET', ownership, 'epoch', written, 'nonce', nonce, 'owner', memberId, 'claim', claim,
  'committed', committed, 'fingerprint', fingerprint)
if resetFrom and resetFrom ~= '' then
  redis.call('HSET', ownership, 'resetFrom', resetFrom)
end
redis.call('SADD', groups, group)
return { 'ACQUIRED', written, committed, logStart, logEnd, log[3], fingerprint, server, resetFrom }
