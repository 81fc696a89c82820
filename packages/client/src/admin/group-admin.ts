/** The part of the admin interface that is about groups. */
import {
  ConfigError,
  matchTopics,
  parseName,
  type MemberDescription,
  type TopicSubscription,
} from '@millrace/core';
import {
  deleteGroup,
  listGroups,
  readCoordination,
  readGroupEvents,
  readGroupOffsets,
  RedisGroupStore,
  RedisTopicStore,
  type GroupCoordination,
  type GroupOffset,
} from '@millrace/redis';
import type { ClientContext } from '../connect/client-context.ts';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
import type {
  Admin,
  GroupDetails,
  GroupEventsOptions,
  GroupMemberDetails,
  GroupPartitionDetails,
} from './admin.ts';
import { attempt } from './attempt.ts';
import { evictAbandoned } from './evict-abandoned.ts';

type GroupAdmin = Pick<Admin, 'listGroups' | 'describeGroup' | 'groupEvents' | 'deleteGroup'>;

const DEFAULT_EVENTS = 100;
const MAX_EVENTS = 10_000;

const GROUP_EVENTS: OptionNames<Required<GroupEventsOptions>> = { after: true, count: true };

export function createGroupAdmin({ command, keys, clock }: ClientContext): GroupAdmin {
  const topics = new RedisTopicStore(command, keys);

  async function readKnown(group: string): Promise<GroupCoordination> {
    const coordination = await readCoordination(command, keys, group);
    if (coordination.exists) return coordination;
    throw new ConfigError('UNKNOWN_GROUP', `there is no group "${group}": nobody has joined it yet`, {
      details: { group },
    });
  }

  return {
    listGroups: () => attempt(command, 'listing groups', () => listGroups(command, keys)),

    async describeGroup(group) {
      parseName('group', group);
      return attempt(command, `describing group "${group}"`, async () => {
        const coordination = await readKnown(group);
        const counts = await topics.partitionCounts();
        const offsets = await readGroupOffsets(command, keys, group, counts);
        return describe(group, coordination, counts, offsets);
      });
    },

    async groupEvents(group, options = {}) {
      parseName('group', group);
      verifyOptionNames('groupEvents option', options, GROUP_EVENTS);
      const { after = '', count = DEFAULT_EVENTS } = options;
      if (!Number.isInteger(count) || count < 1 || count > MAX_EVENTS) {
        throw new ConfigError(
          'INVALID_OPTION',
          `count must be an integer from 1 to ${MAX_EVENTS}, not ${describeValue(count)}`,
        );
      }
      if (typeof after !== 'string' || !/^(\d+-\d+)?$/.test(after)) {
        throw new ConfigError(
          'INVALID_OPTION',
          `after must be the id of an event, not ${describeValue(after)}`,
        );
      }
      const where = `reading the history of group "${group}"`;
      return attempt(command, where, async () => {
        const events = await readGroupEvents(command, keys.group(group), after, count);
        // Whoever joins writes a line, so only where there is none is it worth to ask.
        if (events.length === 0) await readKnown(group);
        return events;
      });
    },

    async deleteGroup(group) {
      parseName('group', group);
      const result = await attempt(command, `deleting group "${group}"`, async () => {
        const { members } = await readKnown(group);
        if (members.length > 0) await evictAbandoned(new RedisGroupStore(command, keys, group, clock), clock);
        const offsets = await readGroupOffsets(command, keys, group, await topics.partitionCounts());
        return deleteGroup(command, keys, group, offsets);
      });
      if (result.status === 'DELETED') return;
      throw new ConfigError(
        'GROUP_NOT_EMPTY',
        `group "${group}" still has members (${result.members}): close them before deleting it`,
        { details: { group, members: result.members } },
      );
    },
  };
}

function describe(
  group: string,
  { generation, assignmentGeneration, leader, members }: GroupCoordination,
  counts: ReadonlyMap<string, number>,
  offsets: readonly GroupOffset[],
): GroupDetails {
  const present = new Set(members.map(({ memberId }) => memberId));
  const subscribed = new Set(members.flatMap(({ subscriptions }) => matchTopics(subscriptions, counts)));
  const partitions = offsets
    .filter(({ topic, committed }) => committed !== null || subscribed.has(topic))
    .map((offset) => describePartition(offset, present));
  const owned = Map.groupBy(partitions, ({ owner }) => owner);
  return {
    group,
    generation,
    assignmentGeneration,
    leader: leader === '' ? null : leader,
    members: members.map((member) => describeMember(member, owned.get(member.memberId)?.length ?? 0)),
    partitions,
  };
}

function describePartition(offset: GroupOffset, present: ReadonlySet<string>): GroupPartitionDetails {
  const { committed, logEnd } = offset;
  return {
    ...offset,
    // The partition remembers a dead owner until the next one comes.
    owner: offset.owner !== null && present.has(offset.owner) ? offset.owner : null,
    lag: committed === null ? null : logEnd - committed,
  };
}

function describeMember(member: MemberDescription, partitions: number): GroupMemberDetails {
  const { memberId, instanceId = null, host, pid, isLeaving, joinedAtMs } = member;
  const subscriptions = member.subscriptions.map(describeSubscription);
  return { memberId, instanceId, host, pid, subscriptions, partitions, isLeaving, joinedAtMs };
}

function describeSubscription(subscription: TopicSubscription): string {
  switch (subscription.kind) {
    case 'name':
      return subscription.topic;
    case 'pattern':
      return `/${subscription.source}/${subscription.flags}`;
    default:
      return subscription satisfies never;
  }
}
