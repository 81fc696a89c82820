// Written by scripts/embed-lua.ts from scripts/*.lua; run `pnpm generate` after a change there.

import type { LuaScript } from '../run-script.ts';

export const ACQUIRE_PARTITION: LuaScript = {
  name: 'acquire-partition',
  sha1: 'd677b7aa3c54be436ef74b1e79ef4b8b7db16234',
  keyCount: 3,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal ownership, state, groups = KEYS[1], KEYS[2], KEYS[3]\nlocal group, memberId, nonce, claim, reset = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nlocal log = redis.call('HMGET', state, 'start', 'end', 'incarnation')\nif not log[2] then\n  return { 'UNKNOWN_PARTITION' }\nend\nlocal logStart, logEnd = log[1] or '0', log[2]\nlocal o = redis.call('HMGET', ownership, 'claim', 'owner', 'nonce', 'epoch', 'committed', 'fingerprint', 'resetFrom')\nlocal seenClaim, owner, seenNonce, epoch, committed, fingerprint = o[1], o[2], o[3], o[4], o[5], o[6] or ''\nlocal resetFrom = o[7]\nlocal isLater = seenClaim and tonumber(seenClaim) > tonumber(claim)\nlocal isTwin = seenClaim and tonumber(seenClaim) == tonumber(claim) and owner and owner ~= memberId\nif isLater or isTwin then\n  return { 'SUPERSEDED', seenClaim, owner or '' }\nend\nif seenNonce == nonce then\n  return { 'ACQUIRED', epoch, committed, logStart, logEnd, log[3], fingerprint, server, resetFrom }\nend\nlocal outside = committed and (tonumber(committed) < tonumber(logStart) or tonumber(committed) > tonumber(logEnd))\nif not committed or outside then\n  if reset == 'fail' then\n    return { 'NO_OFFSET', committed or '', logStart, logEnd }\n  end\n  resetFrom = resetFrom or committed or ''\n  if outside and tonumber(committed) > tonumber(logEnd) then\n    committed = logEnd\n  else\n    committed = reset == 'latest' and logEnd or logStart\n  end\n  fingerprint = ''\nend\nlocal time = redis.call('TIME')\nlocal nextEpoch = math.max((tonumber(epoch) or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))\nlocal written = string.format('%.0f', nextEpoch)\nredis.call('HSET', ownership, 'epoch', written, 'nonce', nonce, 'owner', memberId, 'claim', claim,\n  'committed', committed, 'fingerprint', fingerprint)\nif resetFrom and resetFrom ~= '' then\n  redis.call('HSET', ownership, 'resetFrom', resetFrom)\nend\nredis.call('SADD', groups, group)\nreturn { 'ACQUIRED', written, committed, logStart, logEnd, log[3], fingerprint, server, resetFrom }",
};

export const APPEND: LuaScript = {
  name: 'append',
  sha1: 'cf07b6aa0a1b31d9feaccc8a78f6b02001da6a0d',
  keyCount: 4,
  isReadOnly: false,
  text: "#!lua\nlocal log, state, producers, producerTimes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal producerId, epochText, sequenceText, countText, batch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal sequence, count = tonumber(sequenceText), tonumber(countText)\nlocal maxBatchBytes, maxBatchRecords = 1048640, 10000\nlocal maxTrimmed, maxTrimmedBytes = 1000, 8388608\nlocal keptBatches = 5\nlocal maxProducers, protectedMs, expiryMs, seenAgainMs = 10000, 600000, 86400000, 1000\nlocal function text(number)\n  return string.format(number < 2147483648 and '%d' or '%.0f', number)\nend\nif #batch > maxBatchBytes or count > maxBatchRecords or count < 1 then\n  return { 'TOO_LARGE', text(maxBatchBytes), text(maxBatchRecords) }\nend\nlocal s = redis.call('HMGET', state, 'end', 'appendedMs', 'incarnation', 'bytes', 'limits')\nif not s[1] then\n  return { 'UNKNOWN_PARTITION' }\nend\nlocal baseOffset, lastAppendMs, incarnation = tonumber(s[1]), tonumber(s[2]) or 0, s[3] or ''\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nlocal known = redis.call('HGET', producers, producerId)\nlocal kept, lastSeenMs = '', 0\nif not known then\n  if sequence ~= 0 then\n    return { 'UNKNOWN_PRODUCER' }\n  end\nelse\n  local knownEpoch, nextSequence, rest = string.match(known, '^(%d+) (%d+)(.*)$')\n  lastSeenMs = tonumber(string.match(rest, ':(%d+)$', -14)) or 0\n  local epochsAhead = knownEpoch == epochText and 0 or tonumber(epochText) - tonumber(knownEpoch)\n  if epochsAhead < 0 then\n    return { 'PRODUCER_FENCED', knownEpoch }\n  end\n  if epochsAhead > 0 then\n    if sequence ~= 0 then\n      return { 'OUT_OF_ORDER_SEQUENCE', '0' }\n    end\n  elseif nextSequence == sequenceText then\n    kept = rest\n  else\n    for batchSequence, batchCount, batchOffset, batchMs in string.gmatch(rest, '(%d+):(%d+):(%d+):(%d+)') do\n      if tonumber(batchSequence) == sequence and tonumber(batchCount) == count then\n        redis.call('HSET', state, 'appendedMs', text(lastAppendMs))\n        return { 'DUPLICATE', batchOffset, batchMs, server, incarnation }\n      end\n    end\n    return { 'OUT_OF_ORDER_SEQUENCE', nextSequence }\n  end\nend\nlocal bytes, limits = tonumber(s[4]), s[5]\nif count > 1 or limits then\n  local foreign = redis.call('XRANGE', log, '(0-' .. text(baseOffset), '+', 'COUNT', 1)\n  if foreign[1] then\n    return { 'FOREIGN_ENTRY', foreign[1][1] }\n  end\nend\nif not bytes then\n  bytes = 0\n  redis.call('HSET', state, 'bytes', '0', 'bytesSince', text(baseOffset))\nend\nlocal maxRecords, maxBytes, start, bytesSince\nlocal function isFull()\n  return baseOffset > start\n    and ((maxRecords and baseOffset - start + count > maxRecords) or (maxBytes and bytes + #batch > maxBytes))\nend\nif limits then\n  local onFull\n  maxRecords, maxBytes, onFull = string.match(limits, '^%S+ (%S+) (%S+) (%S+)')\n  maxRecords, maxBytes = tonumber(maxRecords), tonumber(maxBytes)\n  local begin = redis.call('HMGET', state, 'start', 'bytesSince')\n  start, bytesSince = tonumber(begin[1]) or 0, tonumber(begin[2]) or 0\n  if onFull == 'refuse' and isFull() then\n    redis.call('HSET', state, 'full', '1')\n    return { 'TOPIC_FULL', text(baseOffset - start), text(maxRecords or 0), text(bytes), text(maxBytes or 0) }\n  end\nend\nlocal time = redis.call('TIME')\nlocal appendedText = time[1] .. string.sub('00000' .. time[2], -6, -4)\nlocal appendedMs = tonumber(appendedText)\nif appendedMs < lastAppendMs then\n  appendedMs, appendedText = lastAppendMs, s[2]\nend\nlocal forgotten = {}\nif not known then\n  forgotten = redis.call('ZRANGE', producerTimes, '-inf', appendedMs - expiryMs, 'BYSCORE', 'LIMIT', 0, 16)\n  if #forgotten == 0 and redis.call('ZCARD', producerTimes) >= maxProducers then\n    local oldest = redis.call('ZRANGE', producerTimes, 0, 0, 'WITHSCORES')\n    local waitMs = tonumber(oldest[2]) + protectedMs - appendedMs\n    if waitMs > 0 then\n      return { 'TOO_MANY_PRODUCERS', text(maxProducers), text(waitMs) }\n    end\n    forgotten = { oldest[1] }\n  end\nend\nif not known then\n  redis.call('HDEL', producers, producerId)\nend\nfor _, old in ipairs(forgotten) do\n  redis.call('ZREM', producerTimes, old)\n  redis.call('HDEL', producers, old)\nend\nif appendedMs - lastSeenMs >= seenAgainMs then\n  redis.call('ZADD', producerTimes, appendedText, producerId)\nend\nif limits and isFull() then\n  redis.call('HSET', state, 'appendedMs', appendedText)\n  local keptFrom, trimmed, trimmedBytes = start, 0, 0\n  local function mayTrim()\n    return (trimmed < maxTrimmed and trimmedBytes < maxTrimmedBytes)\n      or (maxRecords and start - keptFrom < count)\n      or (maxBytes and trimmedBytes < #batch)\n  end\n  while isFull() and mayTrim() do\n    local entry = redis.call('XRANGE', log, '(0-' .. text(start), '+', 'COUNT', 1)[1]\n    local nextOffset = entry and tonumber(string.match(entry[1], '^0%-(%d+)$'))\n    if not nextOffset then\n      break\n    end\n    start, trimmed, trimmedBytes = nextOffset, trimmed + 1, trimmedBytes + #entry[2][4]\n    if nextOffset > bytesSince then\n      bytes = math.max(0, bytes - #entry[2][4])\n    end\n  end\n  if trimmed > 0 then\n    redis.call('XTRIM', log, 'MINID', '=', '0-' .. text(start + 1))\n    redis.call('HSET', state, 'start', text(start), 'bytes', text(bytes))\n  end\nend\nlocal endText = text(baseOffset + count)\nlocal fifth = 1\nfor _ = 2, keptBatches do\n  fifth = fifth and string.find(kept, ' ', fifth + 1, true)\nend\nif fifth then\n  kept = string.sub(kept, (string.find(kept, ' ', 2, true)))\nend\nkept = kept .. ' ' .. sequenceText .. ':' .. countText .. ':' .. s[1] .. ':' .. appendedText\nredis.call('HSET', producers, producerId, epochText .. ' ' .. text(sequence + count) .. kept)\nlocal added = redis.pcall('HSET', state, 'end', endText, 'bytes', text(bytes + #batch), 'appendedMs', appendedText)\nif type(added) == 'number' then\n  if baseOffset == 0 then\n    added = redis.pcall('XADD', log, '0-' .. endText, 't', appendedText, 'b', batch)\n  else\n    added = redis.pcall('XADD', log, 'NOMKSTREAM', '0-' .. endText, 't', appendedText, 'b', batch)\n  end\n  if type(added) == 'string' then\n    return { 'APPENDED', s[1], appendedText, server, incarnation }\n  end\n  redis.call('HSET', state, 'end', s[1], 'bytes', text(bytes), 'appendedMs', s[2] or '0')\nend\nif known then\n  redis.call('HSET', producers, producerId, known)\nelse\n  redis.call('HDEL', producers, producerId)\nend\nif not added then\n  return { 'LOG_MISSING', s[1] }\nend\nlocal stream = redis.pcall('XINFO', 'STREAM', log)\nfor field = 1, #stream - 1, 2 do\n  if stream[field] == 'last-generated-id' and stream[field + 1] ~= '0-' .. s[1] then\n    return { 'FOREIGN_ENTRY', stream[field + 1] }\n  end\nend\nreturn added",
};

export const BUMP_GENERATION: LuaScript = {
  name: 'bump-generation',
  sha1: 'cdc35aafb27681cdd9245882f99c641f0fa9c1b2',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, events = KEYS[1], KEYS[2]\nlocal leaderEpoch, generation, what, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]\nlocal current = redis.call('HMGET', state, 'leaderEpoch', 'generation')\nif current[1] ~= leaderEpoch or (current[2] or '0') ~= generation then\n  return { 'STALE' }\nend\nlocal raised = redis.call('HINCRBY', state, 'generation', 1)\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'topics-changed', 'what', what, 'generation', raised)\nreturn { 'OK', string.format('%.0f', raised) }",
};

export const CLAIM_PARTITIONS: LuaScript = {
  name: 'claim-partitions',
  sha1: '3bbdb01e8418a51a0301298caa06d5423e6fc742',
  keyCount: 3,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, owners = KEYS[1], KEYS[2], KEYS[3]\nlocal memberId, session, assignmentGeneration, lowest = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])\nlocal held = redis.call('HGET', members, memberId)\nif not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then\n  return { 'UNKNOWN_MEMBER' }\nend\nif redis.call('HGET', state, 'assignmentGeneration') ~= assignmentGeneration then\n  return { 'STALE_ASSIGNMENT' }\nend\nlocal claim = redis.call('HINCRBY', state, 'claims', 1)\nif claim < lowest then\n  claim = lowest\n  redis.call('HSET', state, 'claims', string.format('%.0f', claim))\nend\nlocal number = string.format('%.0f', claim)\nlocal results = {}\nfor index = 5, #ARGV do\n  local entry = redis.call('HGET', owners, ARGV[index])\n  local owner = entry and string.sub(entry, string.find(entry, ' ', 1, true) + 1)\n  if owner and owner ~= memberId and redis.call('HEXISTS', members, owner) == 1 then\n    results[#results + 1] = owner\n  else\n    redis.call('HSET', owners, ARGV[index], number .. ' ' .. memberId)\n    results[#results + 1] = ''\n  end\nend\nreturn { 'CLAIMED', number, results }",
};

export const COMMIT_OFFSET: LuaScript = {
  name: 'commit-offset',
  sha1: '11a210b94f34dc579b1585bd781c020e3fd9b5ef',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal ownership, state = KEYS[1], KEYS[2]\nlocal epoch, nonce, offset, fingerprint, acquiredAt = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nif server ~= acquiredAt then\n  return { 'SERVER_CHANGED', server }\nend\nlocal o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'committed', 'owner', 'resetFrom')\nif o[1] ~= epoch or o[2] ~= nonce then\n  return { 'FENCED', o[1] or '0', o[4] or '' }\nend\nlocal wanted = tonumber(offset)\nif wanted <= tonumber(o[3]) then\n  return { 'COMMITTED', o[3] }\nend\nlocal logEnd = redis.call('HGET', state, 'end') or '0'\nif wanted > tonumber(logEnd) then\n  return { 'BEYOND_END', logEnd }\nend\nredis.call('HSET', ownership, 'committed', offset, 'fingerprint', fingerprint)\nif o[5] then\n  redis.call('HDEL', ownership, 'resetFrom')\nend\nreturn { 'COMMITTED', offset }",
};

export const CREATE_PARTITION: LuaScript = {
  name: 'create-partition',
  sha1: 'be9fc397fec7fe71ce14c86fa9f9a302398985f0',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua\nlocal state, log = KEYS[1], KEYS[2]\nlocal incarnation = ARGV[1]\nlocal function stamp(name)\n  return tonumber(string.match(name, '^(%d+)-')) or 0\nend\nlocal known = redis.call('HMGET', state, 'incarnation', 'end')\nif known[1] == incarnation then\n  return { 'EXISTS', known[2] }\nend\nif known[1] and (known[2] ~= '0' or stamp(known[1]) >= stamp(incarnation)) then\n  return { 'OTHER_INCARNATION', known[1], known[2] }\nend\nif redis.call('EXISTS', log) == 1 then\n  return { 'FOREIGN_LOG' }\nend\nredis.call('HDEL', state, 'limits', 'full', 'bytesSince')\nredis.call('HSET', state, 'incarnation', incarnation, 'start', '0', 'end', '0', 'bytes', '0')\nreturn { 'CREATED' }",
};

export const DELETE_GROUP: LuaScript = {
  name: 'delete-group',
  sha1: 'd559cb030152ebb4b75b0610119a438380806028',
  keyCount: 7,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, beats, owners = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal assignment, leaderLock, events = KEYS[5], KEYS[6], KEYS[7]\nlocal count = redis.call('HLEN', members)\nif count > 0 then\n  return { 'NOT_EMPTY', count }\nend\nredis.call('UNLINK', state, members, beats, owners, assignment, leaderLock, events)\nreturn { 'DELETED' }",
};

export const DELETE_PARTITION: LuaScript = {
  name: 'delete-partition',
  sha1: '16cf6f31554766e96884f178bdc6eaf710e4d6fb',
  keyCount: -1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, log, producers, producerTimes, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\nlocal incarnation = ARGV[1]\nlocal firstGroupKey, firstGroup = 6, 2\nlocal known = redis.call('HGET', state, 'incarnation')\nif known and known ~= incarnation then\n  return { 'OTHER_INCARNATION', known }\nend\nlocal listed = #ARGV - firstGroup + 1\nif redis.call('SCARD', groups) ~= listed then\n  return { 'GROUPS_CHANGED' }\nend\nfor index = 0, listed - 1 do\n  if redis.call('SISMEMBER', groups, ARGV[firstGroup + index]) == 0 then\n    return { 'GROUPS_CHANGED' }\n  end\nend\nfor index = 0, listed - 1 do\n  redis.call('UNLINK', KEYS[firstGroupKey + index])\nend\nredis.call('UNLINK', log, state, producers, producerTimes, groups)\nreturn { 'DELETED' }",
};

export const DEPOSE_LEADER: LuaScript = {
  name: 'depose-leader',
  sha1: 'a6f98e2fad7db3a246861577becbed94ae9da8cb',
  keyCount: 5,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, lock, events, wake, presence = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\nlocal memberId, leaderEpoch, reason, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]\nlocal current = redis.call('HMGET', state, 'leader', 'leaderEpoch')\nif current[1] ~= memberId or current[2] ~= leaderEpoch then\n  return { 'STALE' }\nend\nif reason == 'gone' and redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2] > 0 then\n  return { 'PRESENT' }\nend\nredis.call('HSET', state, 'leader', '')\nredis.call('DEL', lock)\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'leader-' .. reason, 'member', memberId, 'leaderEpoch', leaderEpoch)\nredis.call('SPUBLISH', wake, 'leader-' .. reason)\nreturn { 'OK' }",
};

export const ELECT_LEADER: LuaScript = {
  name: 'elect-leader',
  sha1: 'e04792f14109230efaf822fb5a2d379e90da77f2',
  keyCount: 3,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, events = KEYS[1], KEYS[2], KEYS[3]\nlocal memberId, session, eventsToKeep = ARGV[1], ARGV[2], ARGV[3]\nlocal held = redis.call('HGET', members, memberId)\nif not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then\n  return { 'UNKNOWN_MEMBER' }\nend\nlocal epoch = redis.call('HINCRBY', state, 'leaderEpoch', 1)\nredis.call('HSET', state, 'leader', memberId)\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'leader-elected', 'member', memberId, 'leaderEpoch', epoch)\nreturn { 'ELECTED', string.format('%.0f', epoch) }",
};

export const EVICT_MEMBER: LuaScript = {
  name: 'evict-member',
  sha1: '7f8c8115220f9ffd28ea4341ea981f0f2dcedccb',
  keyCount: 6,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, beats, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal wake, presence = KEYS[5], KEYS[6]\nlocal leaderEpoch, memberId, seenBeat, reason, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nif (redis.call('HGET', state, 'leaderEpoch') or '0') ~= leaderEpoch then\n  return { 'STALE' }\nend\nif redis.call('HEXISTS', members, memberId) == 0 then\n  return { 'UNKNOWN_MEMBER' }\nend\nif redis.call('HGET', beats, memberId) ~= seenBeat then\n  return { 'ALIVE' }\nend\nif reason == 'presence' and redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2] > 0 then\n  return { 'ALIVE' }\nend\nredis.call('HDEL', members, memberId)\nredis.call('HDEL', beats, memberId)\nlocal generation = redis.call('HINCRBY', state, 'generation', 1)\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-evicted', 'member', memberId, 'reason', reason,\n  'generation', generation)\nredis.call('SPUBLISH', wake, 'generation')\nreturn { 'OK' }",
};

export const FORGET_GROUP: LuaScript = {
  name: 'forget-group',
  sha1: '5654fbf64d843496b3a08545f098daec9081e4f8',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal ownership, groups = KEYS[1], KEYS[2]\nlocal group, epoch = ARGV[1], ARGV[2]\nlocal present = redis.call('HGET', ownership, 'epoch')\nif present and present ~= epoch then\n  return { 'ACQUIRED', present }\nend\nredis.call('UNLINK', ownership)\nredis.call('SREM', groups, group)\nreturn { 'FORGOTTEN' }",
};

export const HEARTBEAT: LuaScript = {
  name: 'heartbeat',
  sha1: '9c2bfc6c213e495f350cac05f2ccd61d707fb363',
  keyCount: 3,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, beats = KEYS[1], KEYS[2], KEYS[3]\nlocal memberId, session = ARGV[1], ARGV[2]\nlocal held = redis.call('HGET', members, memberId)\nif not held then\n  return { 'UNKNOWN_MEMBER' }\nend\nif string.sub(held, 1, #session + 1) ~= session .. ' ' then\n  return { 'REPLACED' }\nend\nredis.call('HINCRBY', beats, memberId, 1)\nlocal v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')\nreturn { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '' }",
};

export const JOIN_GROUP: LuaScript = {
  name: 'join-group',
  sha1: '8b1f6c36842c7d56e52821327db54f08b54818b4',
  keyCount: 6,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, beats, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal wake, presence = KEYS[5], KEYS[6]\nlocal memberId, session, description, protocol = ARGV[1], ARGV[2], ARGV[3], ARGV[4]\nlocal seenBeat, mayReplacePresent, eventsToKeep = ARGV[5], ARGV[6] == '1', ARGV[7]\nlocal function view()\n  local v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')\n  return { 'JOINED', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '' }\nend\nlocal groupProtocol = redis.call('HGET', state, 'protocol')\nif groupProtocol and groupProtocol ~= protocol and redis.call('HLEN', members) > 0 then\n  return { 'PROTOCOL_MISMATCH', groupProtocol }\nend\nlocal value = session .. ' ' .. description\nlocal held = redis.call('HGET', members, memberId)\nif held == value then\n  return view()\nend\nif held then\n  local beat = redis.call('HGET', beats, memberId) or '0'\n  local present = redis.call('PUBSUB', 'SHARDNUMSUB', presence)[2]\n  if seenBeat ~= beat or (present > 0 and not mayReplacePresent) then\n    return { 'DUPLICATE_INSTANCE', string.sub(held, string.find(held, ' ', 1, true) + 1), beat, present }\n  end\n  redis.call('HSET', members, memberId, value)\n  redis.call('HINCRBY', beats, memberId, 1)\n  local before = cjson.decode(string.sub(held, string.find(held, ' ', 1, true) + 1))\n  local after = cjson.decode(description)\n  if before.input ~= after.input then\n    redis.call('HINCRBY', state, 'generation', 1)\n  end\n  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-returned', 'member', memberId)\nelse\n  redis.call('HSET', members, memberId, value)\n  redis.call('HINCRBY', beats, memberId, 1)\n  redis.call('HSET', state, 'protocol', protocol)\n  local generation = redis.call('HINCRBY', state, 'generation', 1)\n  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-joined', 'member', memberId, 'generation', generation)\nend\nredis.call('SPUBLISH', wake, 'generation')\nreturn view()",
};

export const LEAVE_GROUP: LuaScript = {
  name: 'leave-group',
  sha1: '4a18b1e2baa37ee44228a9902e47cff6c09f0e6e',
  keyCount: 6,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, beats, events, wake, lock = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]\nlocal memberId, session, eventsToKeep = ARGV[1], ARGV[2], ARGV[3]\nlocal held = redis.call('HGET', members, memberId)\nif not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then\n  return { 'UNKNOWN_MEMBER' }\nend\nredis.call('HDEL', members, memberId)\nredis.call('HDEL', beats, memberId)\nlocal generation = redis.call('HINCRBY', state, 'generation', 1)\nif redis.call('HGET', state, 'leader') == memberId then\n  redis.call('HSET', state, 'leader', '')\n  redis.call('DEL', lock)\n  redis.call('SPUBLISH', wake, 'leader-resigned')\nend\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-left', 'member', memberId, 'generation', generation)\nredis.call('SPUBLISH', wake, 'generation')\nreturn { 'LEFT' }",
};

export const LIMIT_PARTITION: LuaScript = {
  name: 'limit-partition',
  sha1: '9b0ba8a1fa6fe074d9ab2bb31c6d04529315e3d1',
  keyCount: 1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state = KEYS[1]\nlocal incarnation, limits = ARGV[1], ARGV[2]\nlocal function version(text)\n  return tonumber(string.match(text, '^%d+'))\nend\nlocal s = redis.call('HMGET', state, 'incarnation', 'limits')\nif not s[1] then\n  return { 'UNKNOWN_PARTITION' }\nend\nif s[1] ~= incarnation then\n  return { 'OTHER_INCARNATION', s[1] }\nend\nif s[2] and version(s[2]) >= version(limits) then\n  return { 'LATER_LIMITS', string.match(s[2], '^%d+') }\nend\nredis.call('HSET', state, 'limits', limits)\nreturn { 'LIMITED' }",
};

export const PUBLISH_ASSIGNMENT: LuaScript = {
  name: 'publish-assignment',
  sha1: '8e79a227e46c0e3802f957b547e9884ecdc80451',
  keyCount: 5,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, assignment, owners, events, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\nlocal leaderEpoch, generation, deputies, moves, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal incarnations, orphans = ARGV[6], tonumber(ARGV[7])\nlocal current = redis.call('HMGET', state, 'leaderEpoch', 'generation')\nif current[1] ~= leaderEpoch or current[2] ~= generation then\n  return { 'STALE' }\nend\nlocal index = 8\nfor _ = 1, orphans do\n  if redis.call('HGET', owners, ARGV[index]) == ARGV[index + 1] then\n    redis.call('HDEL', owners, ARGV[index])\n  end\n  index = index + 2\nend\nredis.call('DEL', assignment)\nwhile index < #ARGV do\n  redis.call('HSET', assignment, ARGV[index], ARGV[index + 1])\n  index = index + 2\nend\nredis.call('HSET', state, 'assignmentGeneration', generation, 'deputies', deputies,\n  'incarnations', incarnations)\nredis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'assigned', 'generation', generation, 'moves', moves,\n  'leaderEpoch', leaderEpoch)\nredis.call('SPUBLISH', wake, 'assignment')\nreturn { 'OK' }",
};

export const RAISE_PRODUCER_EPOCH: LuaScript = {
  name: 'raise-producer-epoch',
  sha1: '6ff6c65fbf5630bce067cfe8d460ed21379777a3',
  keyCount: 1,
  isReadOnly: false,
  text: "#!lua\nlocal producers = KEYS[1]\nlocal producerId, session, isTaking = ARGV[1], ARGV[2], ARGV[3] == '1'\nlocal held = redis.call('HGET', producers, producerId)\nlocal heldEpoch, heldSession = 0, ''\nif held then\n  local epochText, sessionText = string.match(held, '^(%d+) (.*)$')\n  heldEpoch, heldSession = tonumber(epochText), sessionText\nend\nif not isTaking and heldSession ~= session then\n  return { 'FENCED' }\nend\nlocal time = redis.call('TIME')\nlocal nowMs = time[1] * 1000 + math.floor(time[2] / 1000)\nlocal epoch = string.format('%.0f', math.max(heldEpoch + 1, nowMs))\nredis.call('HSET', producers, producerId, epoch .. ' ' .. session)\nreturn { 'RAISED', epoch }",
};

export const READ_ASSIGNMENT: LuaScript = {
  name: 'read-assignment',
  sha1: '9b689ff43001c90b5e4bb71729c916fc2aa12aaf',
  keyCount: 2,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal state, assignment = KEYS[1], KEYS[2]\nlocal v = redis.call('HMGET', state, 'assignmentGeneration', 'incarnations')\nreturn { 'OK', v[1] or '0', redis.call('HGETALL', assignment), v[2] or '' }",
};

export const READ_FINGERPRINTS: LuaScript = {
  name: 'read-fingerprints',
  sha1: 'e64d9a0cc06ca0aa48fe85dcde8525510054301a',
  keyCount: 2,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal log, state = KEYS[1], KEYS[2]\nlocal s = redis.call('HMGET', state, 'start', 'end', 'incarnation')\nif not s[2] then\n  return { 'UNKNOWN_PARTITION' }\nend\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nlocal fingerprints = {}\nfor index = 1, #ARGV do\n  local id = '0-' .. ARGV[index]\n  local entry = redis.call('XRANGE', log, id, id)[1]\n  local fields = entry and entry[2] or {}\n  fingerprints[index] = ''\n  if fields[1] == 't' and fields[3] == 'b' and #fields[4] >= 16 then\n    fingerprints[index] = fields[2] .. '-' .. string.format('%02x%02x%02x%02x', string.byte(fields[4], 2, 5))\n  end\nend\nreturn { 'OK', s[1] or '0', s[2], s[3] or '', server, fingerprints }",
};

export const READ_GROUP: LuaScript = {
  name: 'read-group',
  sha1: '831c7bb45bfa6be7fa8f1dcbf37e744c70b00f67',
  keyCount: 4,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal state, members, beats, owners = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')\nreturn { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',\n  redis.call('HGETALL', members), redis.call('HGETALL', beats), redis.call('HGETALL', owners) }",
};

export const READ_PROGRESS: LuaScript = {
  name: 'read-progress',
  sha1: '3caf3de13f2b5c5a456f873a02bb2f5db4f4902f',
  keyCount: 2,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal ownership, state = KEYS[1], KEYS[2]\nreturn { 'OK', redis.call('HGET', ownership, 'committed') or '', redis.call('HGET', state, 'end') or '' }",
};

export const READ_TARGET: LuaScript = {
  name: 'read-target',
  sha1: '76040fe3a4240dad0fafcb41f5fe123f56381863',
  keyCount: 2,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal state, assignment = KEYS[1], KEYS[2]\nlocal memberId = ARGV[1]\nlocal v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies',\n  'incarnations')\nreturn { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',\n  redis.call('HGET', assignment, memberId) or '', v[6] or '' }",
};

export const REGISTER_GROUP: LuaScript = {
  name: 'register-group',
  sha1: '17e9f4a9f145c8e7f46fa255e552f828ea134f75',
  keyCount: 1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal groups = KEYS[1]\nlocal group = ARGV[1]\nredis.call('SADD', groups, group)\nreturn { 'REGISTERED' }",
};

export const RELEASE_PARTITION: LuaScript = {
  name: 'release-partition',
  sha1: 'd8dc9688473133424189b60e7e174a50a1e9d51b',
  keyCount: 1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal ownership = KEYS[1]\nlocal epoch, nonce, acquiredAt = ARGV[1], ARGV[2], ARGV[3]\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nif server ~= acquiredAt then\n  return { 'SERVER_CHANGED', server }\nend\nlocal o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'owner')\nif o[1] == epoch and not o[2] then\n  return { 'RELEASED' }\nend\nif o[1] ~= epoch or o[2] ~= nonce then\n  return { 'FENCED', o[1] or '0', o[3] or '' }\nend\nredis.call('HDEL', ownership, 'nonce', 'owner')\nreturn { 'RELEASED' }",
};

export const REPLACE_TOPIC: LuaScript = {
  name: 'replace-topic',
  sha1: '56597af242919e7035b25013d22c02dc7c3ef340',
  keyCount: 1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal topics = KEYS[1]\nlocal topic, expected, replacement = ARGV[1], ARGV[2], ARGV[3]\nlocal present = redis.call('HGET', topics, topic) or ''\nif present ~= expected then\n  return { 'CHANGED', present }\nend\nif replacement == '' then\n  redis.call('HDEL', topics, topic)\nelse\n  redis.call('HSET', topics, topic, replacement)\nend\nreturn { 'REPLACED' }",
};

export const SEEK_OFFSET: LuaScript = {
  name: 'seek-offset',
  sha1: '3b489de1d3f89dd18b3e7bc4e952f601277f074c',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal ownership, state = KEYS[1], KEYS[2]\nlocal epoch, nonce, offset, acquiredAt, nextNonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nif server ~= acquiredAt then\n  return { 'SERVER_CHANGED', server }\nend\nlocal o = redis.call('HMGET', ownership, 'epoch', 'nonce', 'committed', 'owner')\nif o[1] == epoch and o[2] == nextNonce then\n  return { 'SOUGHT', false, o[3] }\nend\nif o[1] ~= epoch or o[2] ~= nonce then\n  return { 'FENCED', o[1] or '0', o[4] or '' }\nend\nlocal log = redis.call('HMGET', state, 'start', 'end')\nif tonumber(offset) < tonumber(log[1] or '0') or tonumber(offset) > tonumber(log[2] or '0') then\n  return { 'OUT_OF_RANGE', log[1] or '0', log[2] or '0' }\nend\nredis.call('HSET', ownership, 'committed', offset, 'fingerprint', '', 'nonce', nextNonce)\nredis.call('HDEL', ownership, 'resetFrom')\nreturn { 'SOUGHT', o[3], offset }",
};

export const TRIM_PARTITION: LuaScript = {
  name: 'trim-partition',
  sha1: '6483d13c9172afd35b81377cb287ae214a2ff94e',
  keyCount: -1,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal log, state, groups = KEYS[1], KEYS[2], KEYS[3]\nlocal incarnation, catalogued, defaultKeepMs = ARGV[1], ARGV[2], tonumber(ARGV[3])\nlocal firstGroupKey, firstGroup = 4, 4\nlocal maxTrimmed, maxTrimmedBytes = 1000, 8388608\nlocal function text(number)\n  return string.format('%.0f', number)\nend\nlocal s = redis.call('HMGET', state, 'start', 'end', 'bytes', 'bytesSince', 'incarnation', 'limits', 'full')\nif not s[2] then\n  return { 'UNKNOWN_PARTITION' }\nend\nif s[5] ~= incarnation then\n  return { 'OTHER_INCARNATION', s[5] or '' }\nend\nlocal listed, expected = redis.call('SMEMBERS', groups), {}\nfor index = firstGroup, #ARGV do\n  expected[ARGV[index]] = true\nend\nlocal isSame = #listed == #ARGV - firstGroup + 1\nfor _, group in ipairs(listed) do\n  isSame = isSame and expected[group]\nend\nif not isSame then\n  return { 'GROUPS_CHANGED', listed }\nend\nlocal start, logEnd, limits = tonumber(s[1]) or 0, tonumber(s[2]), s[6]\nif catalogued ~= '' then\n  local has = tonumber(string.match(limits or '0', '^%d+'))\n  if tonumber(string.match(catalogued, '^%d+')) > has then\n    limits = catalogued\n    redis.call('HSET', state, 'limits', limits)\n  end\nend\nlocal maxRecords, maxBytes, onFull, maxAgeMs, keepMs\nif limits then\n  maxRecords, maxBytes, onFull, maxAgeMs, keepMs = string.match(limits, '^%S+ (%S+) (%S+) (%S+) (%S+) (%S+)$')\n  maxRecords, maxBytes, maxAgeMs = tonumber(maxRecords), tonumber(maxBytes), tonumber(maxAgeMs)\nend\nlocal keepsCommitted = keepMs == 'never'\nkeepMs = tonumber(keepMs) or defaultKeepMs\nlocal committed = #listed > 0 and logEnd or 0\nfor index = firstGroupKey, #KEYS do\n  committed = math.min(committed, tonumber(redis.call('HGET', KEYS[index], 'committed')) or 0)\nend\nlocal bytes, bytesSince = tonumber(s[3]) or 0, s[3] and tonumber(s[4] or '0') or logEnd\nlocal function isOver(share)\n  return (maxRecords and logEnd - start > maxRecords * share) or (maxBytes and bytes > maxBytes * share) or false\nend\nlocal function isPressed()\n  return onFull == 'refuse' and (maxRecords or maxBytes) and (s[7] == '1' or isOver(0.5))\nend\nlocal time = redis.call('TIME')\nlocal nowMs = time[1] * 1000 + math.floor(time[2] / 1000)\nlocal wait, trimmed, trimmedBytes = nil, 0, 0\nwhile true do\n  local mayTrim = maxAgeMs or (onFull == 'trim' and isOver(1)) or (not keepsCommitted and start < committed)\n  local entry = mayTrim and redis.call('XRANGE', log, '(0-' .. text(start), '+', 'COUNT', 1)[1]\n  if not entry then\n    break\n  end\n  local nextOffset = tonumber(string.match(entry[1], '^0%-(%d+)$'))\n  if not nextOffset or nextOffset > logEnd then\n    break\n  end\n  local ageMs = nowMs - tonumber(entry[2][2])\n  local isCommitted = nextOffset <= committed\n  wait = nil\n  if isCommitted and not keepsCommitted then\n    wait = isPressed() and 0 or keepMs - ageMs\n  end\n  if isCommitted or #listed == 0 or nextOffset < logEnd then\n    if maxAgeMs then\n      wait = math.min(wait or maxAgeMs, maxAgeMs - ageMs)\n    end\n    if onFull == 'trim' and isOver(1) then\n      wait = 0\n    end\n  end\n  if not wait or wait > 0 then\n    break\n  end\n  if trimmed == maxTrimmed or trimmedBytes >= maxTrimmedBytes then\n    wait = 0\n    break\n  end\n  start, trimmed, trimmedBytes = nextOffset, trimmed + 1, trimmedBytes + #entry[2][4]\n  if nextOffset > bytesSince then\n    bytes = math.max(0, bytes - #entry[2][4])\n  end\n  wait = nil\nend\nif start >= logEnd then\n  wait = not keepsCommitted and keepMs > 0 and keepMs or nil\n  wait = maxAgeMs and math.min(wait or maxAgeMs, maxAgeMs) or wait\nend\nif trimmed > 0 then\n  redis.call('XTRIM', log, 'MINID', '=', '0-' .. text(start + 1))\n  redis.call('HSET', state, 'start', text(start))\n  if s[3] then\n    redis.call('HSET', state, 'bytes', text(bytes))\n  end\nend\nlocal pressed = isPressed() and 'pressed' or ''\nif s[7] then\n  redis.call('HDEL', state, 'full')\nend\nreturn { 'TRIMMED', text(start), text(logEnd), text(bytes), text(trimmed), wait and text(math.max(0, wait)) or '', pressed }",
};

export const UNCLAIM_PARTITIONS: LuaScript = {
  name: 'unclaim-partitions',
  sha1: 'b5309295ab397d85c1892a07f8755792f0cce95f',
  keyCount: 2,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal owners, wake = KEYS[1], KEYS[2]\nlocal removed = 0\nfor index = 1, #ARGV, 2 do\n  if redis.call('HGET', owners, ARGV[index]) == ARGV[index + 1] then\n    redis.call('HDEL', owners, ARGV[index])\n    removed = removed + 1\n  end\nend\nif removed > 0 then\n  redis.call('SPUBLISH', wake, 'released')\nend\nreturn { 'OK', removed }",
};

export const UPDATE_MEMBER: LuaScript = {
  name: 'update-member',
  sha1: 'b4646134ccab1347e3927c2c353adb8f683aff1c',
  keyCount: 4,
  isReadOnly: false,
  text: "#!lua flags=allow-oom\nlocal state, members, events, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\nlocal memberId, session, description, what, eventsToKeep = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]\nlocal held = redis.call('HGET', members, memberId)\nif not held or string.sub(held, 1, #session + 1) ~= session .. ' ' then\n  return { 'UNKNOWN_MEMBER' }\nend\nlocal value = session .. ' ' .. description\nif held ~= value then\n  redis.call('HSET', members, memberId, value)\n  local generation = redis.call('HINCRBY', state, 'generation', 1)\n  redis.call('XADD', events, 'MAXLEN', '~', eventsToKeep, '*', 'type', 'member-changed', 'member', memberId, 'what', what,\n    'generation', generation)\n  redis.call('SPUBLISH', wake, 'generation')\nend\nreturn { 'OK' }",
};

export const WATCH_GROUP: LuaScript = {
  name: 'watch-group',
  sha1: 'e61b8aefdfc0de8b36603d84bc32dfaa85179152',
  keyCount: -1,
  isReadOnly: true,
  text: "#!lua flags=no-writes\nlocal state, beats = KEYS[1], KEYS[2]\nlocal info = redis.call('INFO', 'replication')\nlocal _, nameEnd = string.find(info, 'master_replid:', 1, true)\nlocal server = nameEnd and string.match(info, '^%x+', nameEnd + 1) or ''\nlocal v = redis.call('HMGET', state, 'generation', 'assignmentGeneration', 'leader', 'leaderEpoch', 'deputies')\nlocal time = redis.call('TIME')\nlocal subscribers, seenBeats = {}, {}\nfor first = 1, #ARGV, 3000 do\n  local last = math.min(first + 2999, #ARGV)\n  local counts = redis.call('PUBSUB', 'SHARDNUMSUB', unpack(KEYS, first + 2, last + 2))\n  for index = 2, #counts, 2 do\n    subscribers[#subscribers + 1] = counts[index]\n  end\n  local block = redis.call('HMGET', beats, unpack(ARGV, first, last))\n  for index = 1, #block do\n    seenBeats[#seenBeats + 1] = block[index]\n  end\nend\nreturn { 'OK', v[1] or '0', v[2] or '0', v[3] or '', v[4] or '0', v[5] or '',\n  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), subscribers, seenBeats, server }",
};
