#!lua flags=allow-oom
-- Purpose: add a member to a group, or let a static member take its own place back.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- KEYS[4] events stream
-- KEYS[5] wake channel
-- KEYS[6] presence channel of the member
-- ARGV[1] member id
-- ARGV[2] session (fresh for every join)
-- ARGV[3] description, JSON
-- ARGV[4] protocol version of the caller
-- ARGV[5] beat at which the caller saw the predecessor, or '' when it has seen none
-- ARGV[6] '1' when the predecessor may be replaced although its presence connection is still open
-- ARGV[7] events to keep
-- Returns: {'JOINED', generation, assignment generation, leader, leader epoch, deputies}
--          {'DUPLICATE_INSTANCE', description of the holder, its beat, its presence}
--          {'PROTOCOL_MISMATCH', protocol version of the group}
-- Keeps: one session per member id; a static member that returns moves no partition, so its generation stays.
local state, members, beats, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wake, presence = KEYS[5], KEYS[6]
local memberId, session, description, protocol = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local seenBeat, mayReplacePresent, eventsToKeep = ARGV[5], ARGV[6] == '1', ARGV[7]

local function view()
  local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')
  return { 'JOINED', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '' }
end

-- An empty group may change protocol: that is how a fleet is upgraded across an incompatible version.
local groupProtocol = redis.call('HGET', state, 'protocol')
if groupProtocol and groupProtocol ~= protocol and redis.call('HLEN', members) > 0 then
  return { 'PROTOCOL_MISMATCH', groupProtocol }
end

local value = session .. ' ' .. description
local held = redis.call('HGET', members, memberId)
if held == value then
  return view()
end
if held then
  local beat = redis.call('HGET', beats, memberId) or '0'
  local present = redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2]
  if seenBeat ~= beat or (present > 0 and not mayReplacePresent) then
    return { 'DUPLICATE_INSTANCE', string.sub(held, string.find(held, ' ', 1, true) + 1), beat, present }
  end
  redis.call('HSET', members, memberId, value)
  redis.call('HINCRBY', beats, memberId, 1)
  -- What the leader computes with may have changed together with the process.
  local before = cjson.decode(string.sub(held, string.find(held, ' ', 1, true) + 1))
  local after = cjson.decode(description)
  if before.input ~= after.input then
    redis.call('HINCRBY', state, 'generation', 1)
  end
  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-returned', 'member', memberId)
else
  redis.call('HSET', members, memberId, value)
  redis.call('HINCRBY', beats, memberId, 1)
  redis.call('HSET', state, 'protocol', protocol)
  local generation = redis.call('HINCRBY', state, 'generation', 1)
  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-joined', 'member', memberId, 'generation', generation)
end
redis.call('SPUBLISH', wake, 'generation')
return view()
