#!lua flags=allow-oom
-- Purpose: note in the group's slot that a member has given partitions up, and wake who waits for them.
-- KEYS[1] owners hash
-- KEYS[2] wake channel
-- ARGV[1...] partition, entry ('<claim number> <member id>')
-- Returns: {'OK', number of entries removed}
-- Keeps: an entry that has been claimed again since is left alone.
local owners, wake = KEYS[1], KEYS[2]

local removed = 0
for index = 1, #ARGV, 2 do
  if redis.call('HGET', owners, ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', owners, ARGV[index])
    removed = removed + 1
  end
end
if removed > 0 then
  redis.call('SPUBLISH', wake, 'released')
end
return { 'OK', removed }
