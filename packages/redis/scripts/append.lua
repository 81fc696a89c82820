#!lua
-- Purpose: append one record batch to a partition's log, exactly once however often it is sent.
-- KEYS[1] log stream
-- KEYS[2] partition state hash
-- KEYS[3] hash of the partition's producers: id -> 'epoch next-sequence', then 'sequence:count:offset:ms' of the
--         last five batches, newest last
-- KEYS[4] sorted set of the partition's producers by the time of their last append (ms), at most a second behind it
-- ARGV[1] producer id
-- ARGV[2] producer epoch; this and the next two as decimal digits without a zero in front
-- ARGV[3] sequence: how many records the producer appended here before, within its epoch
-- ARGV[4] records in the batch (1..10000)
-- ARGV[5] the encoded batch (at most 1048640 bytes)
-- Returns: {'APPENDED', base offset, append time (ms), server, incarnation}
--          {'DUPLICATE', base offset, append time (ms), server, incarnation} of the first time, for one of the last
--          five batches; counts as a write of the connection, so that a WAIT after it covers the batch
--          {'UNKNOWN_PARTITION'}
--          {'PRODUCER_FENCED', epoch} a newer one has been here
--          {'UNKNOWN_PRODUCER'} a sequence above 0 and nothing that it follows: never accepted silently
--          {'OUT_OF_ORDER_SEQUENCE', expected sequence}
--          {'TOO_LARGE', limit of bytes, limit of records}
--          {'TOO_MANY_PRODUCERS', limit, ms until there is room}
--          {'TOPIC_FULL', records kept, limit or 0, bytes kept, limit or 0} there is no room, and the topic's limits say
--          that nothing may be taken away for it
--          {'FOREIGN_ENTRY', id} somebody else wrote to the stream
--          {'LOG_MISSING', log end} the stream was deleted under its state
-- Keeps: offsets are dense; an entry's id is 0-<offset after it>; append times never go back, so that a time can be
--        searched for; every status but APPENDED leaves the end as it was. `bytes` is the sum of the batches in the
--        log; it does not grow past its limits, but for one batch that is larger than they are. What is taken away to
--        make room is whole batches, the oldest, at most 1000 and 8 MiB at a time, or as much as comes where that is
--        more. A producer is forgotten a day after its last append at the earliest, or, where 10,000 are kept already,
--        when it is the oldest and ten minutes old: longer than any producer goes on trying, so that a repeated batch
--        is never taken for a new one.
local log, state, producers, producerTimes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local producerId, epochText, sequenceText, countText, batch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local sequence, count = tonumber(sequenceText), tonumber(countText)

local maxBatchBytes, maxBatchRecords = 1048640, 10000
local maxTrimmed, maxTrimmedBytes = 1000, 8388608
local keptBatches = 5
local maxProducers, protectedMs, expiryMs, seenAgainMs = 10000, 600000, 86400000, 1000

-- The default text of a large double is 1e+15. '%.0f' costs as much as a command, so that what came as text stays text;
-- '%d' costs less, and holds no more than 31 bits where the server was built for 32.
local function text(number)
  return string.format(number < 2147483648 and '%d' or '%.0f', number)
end

if #batch > maxBatchBytes or count > maxBatchRecords or count < 1 then
  return { 'TOO_LARGE', text(maxBatchBytes), text(maxBatchRecords) }
end
local s = redis.call('HMGET', state, 'end', 'appendedMs', 'incarnation', 'bytes', 'limits')
if not s[1] then
  return { 'UNKNOWN_PARTITION' }
end
local baseOffset, lastAppendMs, incarnation = tonumber(s[1]), tonumber(s[2]) or 0, s[3] or ''

-- A producer that is told of another server looks whether what it was told before is still there, and one that is told
-- of another log forgets what it was told of the former.
-- Found as plain text: a pattern that has to be searched for costs as much as INFO itself.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
local known = redis.call('HGET', producers, producerId)
local kept, lastSeenMs = '', 0
if not known then
  if sequence ~= 0 then
    return { 'UNKNOWN_PRODUCER' }
  end
else
  local knownEpoch, nextSequence, rest = string.match(known, '^(%d+) (%d+)(.*)$')
  -- From where a time of 13 digits begins: from the start it would try every number before it.
  lastSeenMs = tonumber(string.match(rest, ':(%d+)$', -14)) or 0
  -- Nearly every batch is the next of its epoch: the same text says so without a number.
  local epochsAhead = knownEpoch == epochText and 0 or tonumber(epochText) - tonumber(knownEpoch)
  if epochsAhead < 0 then
    return { 'PRODUCER_FENCED', knownEpoch }
  end
  if epochsAhead > 0 then
    if sequence ~= 0 then
      return { 'OUT_OF_ORDER_SEQUENCE', '0' }
    end
  elseif nextSequence == sequenceText then
    kept = rest
  else
    for batchSequence, batchCount, batchOffset, batchMs in string.gmatch(rest, '(%d+):(%d+):(%d+):(%d+)') do
      if tonumber(batchSequence) == sequence and tonumber(batchCount) == count then
        -- Nothing changes, and yet it must be a write: since Redis 7.2 WAIT and WAITAOF wait for the last write of
        -- their own connection. One that was opened after a lost reply has none, and would be answered at once.
        redis.call('HSET', state, 'appendedMs', text(lastAppendMs))
        return { 'DUPLICATE', batchOffset, batchMs, server, incarnation }
      end
    end
    return { 'OUT_OF_ORDER_SEQUENCE', nextSequence }
  end
end

-- Behind the end there must be nothing. Asking costs one seek in the stream's index; asking for the last entry
-- instead would copy up to a megabyte. Of a single record XADD says it: there is no id between the end and its own.
local bytes, limits = tonumber(s[4]), s[5]
if count > 1 or limits then
  local foreign = redis.call('XRANGE', log, '(0-' .. text(baseOffset), '+', 'COUNT', 1)
  if foreign[1] then
    return { 'FOREIGN_ENTRY', foreign[1][1] }
  end
end

if not bytes then
  -- A log of a version that did not count them: they are counted from here on.
  bytes = 0
  redis.call('HSET', state, 'bytes', '0', 'bytesSince', text(baseOffset))
end
local maxRecords, maxBytes, start, bytesSince
-- A batch that is larger than the limit has to fit into an empty log, or it would wait for ever.
local function isFull()
  return baseOffset > start
    and ((maxRecords and baseOffset - start + count > maxRecords) or (maxBytes and bytes + #batch > maxBytes))
end
if limits then
  local onFull
  maxRecords, maxBytes, onFull = string.match(limits, '^%S+ (%S+) (%S+) (%S+)')
  maxRecords, maxBytes = tonumber(maxRecords), tonumber(maxBytes)
  local begin = redis.call('HMGET', state, 'start', 'bytesSince')
  start, bytesSince = tonumber(begin[1]) or 0, tonumber(begin[2]) or 0
  if onFull == 'refuse' and isFull() then
    -- For trim-partition: what all groups have committed makes room now, and not after a while.
    redis.call('HSET', state, 'full', '1')
    return { 'TOPIC_FULL', text(baseOffset - start), text(maxRecords or 0), text(bytes), text(maxBytes or 0) }
  end
end

local time = redis.call('TIME')
-- Seconds, and of the microseconds what makes milliseconds of six digits.
local appendedText = time[1] .. string.sub('00000' .. time[2], -6, -4)
local appendedMs = tonumber(appendedText)
if appendedMs < lastAppendMs then
  appendedMs, appendedText = lastAppendMs, s[2]
end

-- Producer ids are the client's choice, so what is kept for them is bounded. Only a new one can make it grow.
local forgotten = {}
if not known then
  forgotten = redis.call('ZRANGE', producerTimes, '-inf', appendedMs - expiryMs, 'BYSCORE', 'LIMIT', 0, 16)
  if #forgotten == 0 and redis.call('ZCARD', producerTimes) >= maxProducers then
    local oldest = redis.call('ZRANGE', producerTimes, 0, 0, 'WITHSCORES')
    local waitMs = tonumber(oldest[2]) + protectedMs - appendedMs
    if waitMs > 0 then
      return { 'TOO_MANY_PRODUCERS', text(maxProducers), text(waitMs) }
    end
    forgotten = { oldest[1] }
  end
end

-- What can be written without harm goes first: a user whose ACL lacks one of these commands is refused before
-- anything was written that is true of a stored batch only.
if not known then
  -- Removes nothing yet. A first append that fails is taken back by it.
  redis.call('HDEL', producers, producerId)
end
for _, old in ipairs(forgotten) do
  redis.call('ZREM', producerTimes, old)
  redis.call('HDEL', producers, old)
end
-- Days and minutes are counted by it: a second more or less is not worth a command with every batch.
if appendedMs - lastSeenMs >= seenAgainMs then
  redis.call('ZADD', producerTimes, appendedText, producerId)
end

-- Last of what may still be refused: a batch that is not stored takes nothing away.
if limits and isFull() then
  -- Who may trim and not say so would leave a start that is gone.
  redis.call('HSET', state, 'appendedMs', appendedText)
  local keptFrom, trimmed, trimmedBytes = start, 0, 0
  -- The bound keeps others from waiting for long. What comes is made room for all the same: of entries that are small
  -- beside the batches that come, a bounded number would make room for less, and the log would grow without end.
  local function mayTrim()
    return (trimmed < maxTrimmed and trimmedBytes < maxTrimmedBytes)
      or (maxRecords and start - keptFrom < count)
      or (maxBytes and trimmedBytes < #batch)
  end
  while isFull() and mayTrim() do
    local entry = redis.call('XRANGE', log, '(0-' .. text(start), '+', 'COUNT', 1)[1]
    local nextOffset = entry and tonumber(string.match(entry[1], '^0%-(%d+)$'))
    if not nextOffset then
      break
    end
    start, trimmed, trimmedBytes = nextOffset, trimmed + 1, trimmedBytes + #entry[2][4]
    if nextOffset > bytesSince then
      bytes = math.max(0, bytes - #entry[2][4])
    end
  end
  if trimmed > 0 then
    redis.call('XTRIM', log, 'MINID', '=', '0-' .. text(start + 1))
    redis.call('HSET', state, 'start', text(start), 'bytes', text(bytes))
  end
end

local endText = text(baseOffset + count)
-- Of the batches that are kept each begins with a space. The oldest makes room for this one.
local fifth = 1
for _ = 2, keptBatches do
  fifth = fifth and string.find(kept, ' ', fifth + 1, true)
end
if fifth then
  kept = string.sub(kept, (string.find(kept, ' ', 2, true)))
end
kept = kept .. ' ' .. sequenceText .. ':' .. countText .. ':' .. s[1] .. ':' .. appendedText

-- The log comes last: behind it there is no write that could be refused. What says that it has the batch is taken back
-- where it has not, by commands that were allowed a moment ago; left behind, it would make a duplicate of a batch that
-- is nowhere.
redis.call('HSET', producers, producerId, epochText .. ' ' .. text(sequence + count) .. kept)
local added = redis.pcall('HSET', state, 'end', endText, 'bytes', text(bytes + #batch), 'appendedMs', appendedText)
if type(added) == 'number' then
  if baseOffset == 0 then
    added = redis.pcall('XADD', log, '0-' .. endText, 't', appendedText, 'b', batch)
  else
    added = redis.pcall('XADD', log, 'NOMKSTREAM', '0-' .. endText, 't', appendedText, 'b', batch)
  end
  if type(added) == 'string' then
    return { 'APPENDED', s[1], appendedText, server, incarnation }
  end
  redis.call('HSET', state, 'end', s[1], 'bytes', text(bytes), 'appendedMs', s[2] or '0')
end
if known then
  redis.call('HSET', producers, producerId, known)
else
  redis.call('HDEL', producers, producerId)
end

if not added then
  return { 'LOG_MISSING', s[1] }
end
-- An entry that was added by hand and deleted again still moved the stream's last id. Only in this rare case is
-- the whole XINFO reply worth its size.
local stream = redis.pcall('XINFO', 'STREAM', log)
for field = 1, #stream - 1, 2 do
  if stream[field] == 'last-generated-id' and stream[field + 1] ~= '0-' .. s[1] then
    return { 'FOREIGN_ENTRY', stream[field + 1] }
  end
end
return added
