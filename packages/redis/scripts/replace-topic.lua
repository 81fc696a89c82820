#!lua flags=allow-oom
-- Purpose: write a topic's entry in the catalogue, provided nobody has changed it since it was read.
-- KEYS[1] topics hash
-- ARGV[1] topic
-- ARGV[2] the entry as it was read, empty where there was none
-- ARGV[3] the entry to write, empty to remove it
-- Returns: {'REPLACED'} | {'CHANGED', the present entry or ''}
-- Keeps: a topic is created, grown and deleted by one caller at a time, whoever else tries or was slow.
local topics = KEYS[1]
local topic, expected, replacement = ARGV[1], ARGV[2], ARGV[3]

local present = redis.call('HGET', topics, topic) or ''
if present ~= expected then
  return { 'CHANGED', present }
end
if replacement == '' then
  redis.call('HDEL', topics, topic)
else
  redis.call('HSET', topics, topic, replacement)
end
return { 'REPLACED' }
