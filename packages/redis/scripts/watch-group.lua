#!lua flags=no-writes
-- Purpose: one look at who is present: the fast half of crash detection.
-- KEYS[1] group state hash
-- KEYS[2] beats hash
-- KEYS[3...] presence channels
-- ARGV[1...] member ids, in the order of the channels
-- Returns: {'OK', generation, assignment generation, leader, leader epoch, deputies, server time ms,
--           {subscribers of each channel}, {beat of each member, or nil}, server}
-- Keeps: nothing is written. The time only staggers the watchers against each other, no decision rests on it.
local state, beats = KEYS[1], KEYS[2]

-- Found as plain text: see append.
local info = redis.call('INFO', 'replication')
local _, nameEnd = string.find(info, 'master_replid:', 1, true)
local server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''
local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')
local time = redis.call('TIME')
local subscribers, seenBeats = {}, {}
-- By blocks: unpack is limited to about 7,000 values.
for first = 1, #ARGV, 3000 do
  local last = math.min(first + 2999, #ARGV)
  local counts = redis.call('PUBSUB', 'SHARDNUMSUB', unpack(KEYS, first + 2, last + 2))
  for index = 2, #counts, 2 do
    subscribers[#subscribers + 1] = counts[index]
  end
  local block = redis.call('HMGET', beats, unpack(ARGV, first, last))
  for index = 1, #block do
    seenBeats[#seenBeats + 1] = block[index]
  end
end
return { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), subscribers, seenBeats, server }
