/** How an ownership ended, as its own process knew it. */
import type { HistoryEvent } from './history-event.ts';
import type { Ownership } from './history-index.ts';

/** The release that Redis confirmed. */
export function releaseOf(
  ownership: Ownership,
): { readonly asked: HistoryEvent; readonly answered: HistoryEvent } | null {
  const asked = ownership.events.find((event) => event.f === 'release' && event.type === 'invoke');
  const answered = ownership.events.find(
    (event) => event.f === 'release' && event.type === 'ok' && event.status === 'RELEASED',
  );
  return asked === undefined || answered === undefined ? null : { asked, answered };
}

/** The first event by which its process knew that the partition was not its own any more, or was about to be another's. */
export function lastWordOf(ownership: Ownership): HistoryEvent | null {
  const ended = ownership.events.find(
    ({ f, type }) => f === 'lost' || f === 'revoked' || (f === 'release' && type === 'invoke'),
  );
  return ended ?? null;
}

/** The event from which on nobody owned the partition. */
export function endOf(ownership: Ownership): HistoryEvent | null {
  const ended = ownership.events.find(({ f, type }) => f === 'lost' || (f === 'release' && type === 'ok'));
  return ended ?? null;
}
