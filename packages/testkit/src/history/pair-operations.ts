/** Joins each invocation with its completion. */
import type { FailureEvent, HistoryEvent, InvokeEvent, OkEvent, OperationName } from './history-event.ts';

/** `end` is null where the process was killed before it heard of one: the outcome is as unknown as after `info`. */
export type Operation<F extends OperationName = OperationName> = {
  [Name in F]: { readonly invoke: InvokeEvent<Name>; end: OkEvent<Name> | FailureEvent<Name> | null };
}[F];

export type Operations = { readonly [F in OperationName]: Operation<F>[] };

/** In the order in which they were invoked. */
export function pairOperations(events: readonly HistoryEvent[]): Operations {
  const operations: Operations = {
    send: [],
    claim: [],
    acquire: [],
    commit: [],
    release: [],
    seek: [],
    elect: [],
    publish: [],
    deliver: [],
    fault: [],
  };
  const open = new Map<string, Map<number, Operation>>();
  for (const event of events) {
    if (!('id' in event)) continue;
    const ofIncarnation = open.get(event.incarnation) ?? new Map<number, Operation>();
    open.set(event.incarnation, ofIncarnation);
    if (event.type === 'invoke') {
      const operation = { invoke: event, end: null } as Operation;
      (operations[event.f] as Operation[]).push(operation);
      ofIncarnation.set(event.id, operation);
    } else {
      const operation = ofIncarnation.get(event.id);
      if (operation !== undefined && operation.end === null) operation.end = event;
    }
  }
  return operations;
}

/** The completion when it is one of success. */
export function okOf<F extends OperationName>(operation: Operation<F>): OkEvent<F> | null {
  return operation.end?.type === 'ok' ? operation.end : null;
}

/** It did not happen, for certain. */
export function isFailed(operation: Operation): boolean {
  return operation.end?.type === 'fail';
}

/** Both ends, or the one that there is. */
export function eventsOf(operation: Operation): HistoryEvent[] {
  return operation.end === null ? [operation.invoke] : [operation.invoke, operation.end];
}
