/**
 * Writes down what a consumer asks of Redis: the invocation before anything is sent, and what came back. Sits between
 * the consumer and its backend; the product knows nothing of it.
 */
import type { AcquireResult, GroupStore, PartitionStore } from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import type { HistoryWriter, OkFields, OperationName } from '@millrace/testkit';
import type { Backend } from '../../../packages/client/src/connect/backend.ts';

/** Asked for at every invocation: a process begins another history with every row. */
export type CurrentHistory = () => HistoryWriter;

export function recordedBackend(backend: Backend, history: CurrentHistory): Backend {
  return {
    ...backend,
    partitions: recordedPartitions(backend.partitions, history),
    groupStore: (group) => recordedGroup(backend.groupStore(group), group, history),
  };
}

function recordedPartitions(store: PartitionStore, history: CurrentHistory): PartitionStore {
  return overriding(store, {
    async acquire(request) {
      const { group, topic, partition, memberId, nonce, claim } = request;
      const writer = history();
      const id = writer.invoke('acquire', { group, topic, p: partition, member: memberId, nonce, claim });
      const result = await settled(writer, 'acquire', id, store.acquire(request));
      writer.ok('acquire', id, acquired(result));
      return result;
    },
    async commit(...request) {
      const [fence, offset] = request;
      const writer = history();
      const id = writer.invoke('commit', { ...ownership(fence), offset });
      const result = await settled(writer, 'commit', id, store.commit(...request));
      writer.ok('commit', id, result);
      return result;
    },
    async release(...request) {
      const writer = history();
      const id = writer.invoke('release', ownership(request[0]));
      const result = await settled(writer, 'release', id, store.release(...request));
      writer.ok('release', id, result);
      return result;
    },
    async seek(fence, offset, nextNonce) {
      const writer = history();
      const id = writer.invoke('seek', { ...ownership(fence), offset, nextNonce });
      const result = await settled(writer, 'seek', id, store.seek(fence, offset, nextNonce));
      writer.ok('seek', id, result);
      return result;
    },
  });
}

function recordedGroup(store: GroupStore, group: string, history: CurrentHistory): GroupStore {
  const claim: GroupStore['claim'] = async (request) => {
    const writer = history();
    const id = writer.invoke('claim', { group, partitions: request.partitions });
    const result = await settled(writer, 'claim', id, store.claim(request));
    if (result.status === 'CLAIMED') {
      writer.ok('claim', id, { claim: result.claim, granted: result.granted });
    } else {
      writer.fail('claim', id, result.status);
    }
    return result;
  };
  const elect: GroupStore['elect'] = async (memberId, session) => {
    const writer = history();
    const id = writer.invoke('elect', { group, member: memberId });
    const leaderEpoch = await settled(writer, 'elect', id, store.elect(memberId, session));
    if (leaderEpoch === null) writer.fail('elect', id);
    else writer.ok('elect', id, { leaderEpoch });
    return leaderEpoch;
  };
  const publish: GroupStore['publish'] = async (request) => {
    const writer = history();
    const { leaderEpoch, generation } = request;
    const id = writer.invoke('publish', { group, leaderEpoch, generation });
    const status = await settled(writer, 'publish', id, store.publish(request));
    writer.ok('publish', id, { status });
    return status;
  };
  return overriding(store, { claim, elect, publish });
}

/** A store has more methods, and private fields: what is not overridden goes to it as it is. */
function overriding<Store extends object>(store: Store, overrides: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name): unknown {
      const override: unknown = Reflect.get(overrides, name);
      if (override !== undefined) return override;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** Without the incarnation of the log: in a history that word is for processes. */
function acquired(result: AcquireResult): OkFields<'acquire'> {
  if (result.status !== 'ACQUIRED') return { status: result.status };
  const { incarnation: _, ...fields } = result;
  return fields;
}

function ownership(fence: Parameters<PartitionStore['release']>[0]) {
  const { group, topic, partition, ...proof } = fence;
  return { group, topic, p: partition, ...proof };
}

/** What was refused before it ran has not happened; of everything else that failed nobody can say. */
async function settled<T>(
  writer: HistoryWriter,
  operation: OperationName,
  id: number,
  result: Promise<T>,
): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const { code, details } = toMillraceError(error, operation);
    if (details['execution'] === 'none') writer.fail(operation, id, code);
    else writer.unknown(operation, id, code);
    throw error;
  }
}
