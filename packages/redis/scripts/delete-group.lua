#!lua flags=allow-oom
-- Purpose: remove the coordination state of a group without members.
-- KEYS[1] group state hash
-- KEYS[2] members hash
-- KEYS[3] beats hash
-- KEYS[4] owners hash
-- KEYS[5] assignment hash
-- KEYS[6] leader lock
-- KEYS[7] events stream
-- Returns: {'DELETED'} or it was not there
--          {'NOT_EMPTY', number of members}
-- Keeps: a group with members is left as it is, whoever joined last.
local state, members, beats, owners = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local assignment, leaderLock, events = KEYS[5], KEYS[6], KEYS[7]

local count = redis.call('HLEN', members)
if count > 0 then
  return { 'NOT_EMPTY', count }
end
redis.call('UNLINK', state, members, beats, owners, assignment, leaderLock, events)
return { 'DELETED' }
