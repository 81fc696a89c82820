#!lua flags=allow-oom
-- Purpose: enter a group in the catalogue.
-- KEYS[1] set of the names of all groups
-- ARGV[1] group
-- Returns: {'REGISTERED'} or it was there
-- Keeps: a member can join while the memory is full; the plain command would be refused then.
local groups = KEYS[1]
local group = ARGV[1]

redis.call('SADD', groups, group)
return { 'REGISTERED' }
