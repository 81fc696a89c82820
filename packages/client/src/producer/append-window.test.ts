import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppendWindow, type InFlight, type WindowUser } from './append-window.ts';

function user(admitted: () => void = () => {}, isFull = false): WindowUser {
  return { isFull, admitted };
}

/** Fills the window with appends of `bytes`; gives them back. */
function fill(window: AppendWindow, bytes = 1, isFull = false): InFlight[] {
  const inFlight: InFlight[] = [];
  while (window.hasRoomFor(user(() => {}, isFull))) inFlight.push(window.enter(bytes, 0));
  return inFlight;
}

/** `users` that always have something to send, on a server that is `wayMs` away and takes `workMs` for each append. */
function saturate(
  window: AppendWindow,
  server: { wayMs: number; workMs: number },
  { users, appends, startMs = 0 }: { users: number; appends: number; startMs?: number },
): number {
  let nowMs = startMs;
  let freeMs = startMs;
  const queue: { readonly append: InFlight; readonly answeredMs: number }[] = [];
  const send = (): void => {
    freeMs = Math.max(freeMs, nowMs + server.wayMs / 2) + server.workMs;
    queue.push({ append: window.enter(100, nowMs), answeredMs: freeMs + server.wayMs / 2 });
  };
  for (let count = 0; count < users; count++) window.wait(nowMs, user(send));
  // Nothing is in flight yet that could leave and let them in.
  window.leave(window.enter(0, nowMs));
  for (let count = 0; count < appends; count++) {
    const first = queue.shift();
    if (first === undefined) break;
    nowMs = first.answeredMs;
    window.wait(nowMs, user(send));
    window.answered(first.append, nowMs);
  }
  for (const { append } of queue) window.leave(append);
  return nowMs;
}

describe('who is let in', () => {
  test('as many as there is room for, then in the order of the oldest record, whenever it came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 60 }), (ages) => {
        const window = new AppendWindow();
        const inFlight = fill(window);
        const admitted: number[] = [];
        for (const sinceMs of ages) {
          window.wait(
            sinceMs,
            user(() => {
              admitted.push(sinceMs);
              inFlight.push(window.enter(1, 0));
            }),
          );
        }
        expect(admitted).toEqual([]);
        for (let append = inFlight.shift(); append !== undefined; append = inFlight.shift())
          window.leave(append);
        expect(admitted).toEqual(ages.toSorted((a, b) => a - b));
      }),
    );
  });

  test('nobody overtakes who waits', () => {
    const window = new AppendWindow();
    const [first, second] = fill(window);
    let isAdmitted = false;
    window.wait(
      0,
      user(() => (isAdmitted = true)),
    );
    if (first !== undefined) window.leave(first);
    expect([isAdmitted, window.hasRoomFor(user())]).toEqual([true, true]);
    window.enter(1, 0);
    window.wait(0, user());
    expect(window.hasRoomFor(user())).toBe(false);
    if (second !== undefined) window.leave(second);
    expect(window.hasRoomFor(user())).toBe(true);
  });

  test('one that has nothing to send any more makes way for the next', () => {
    const window = new AppendWindow();
    const [first] = fill(window);
    const admitted: string[] = [];
    window.wait(
      1,
      user(() => admitted.push('gone')),
    );
    window.wait(
      2,
      user(() => admitted.push('next') && window.enter(1, 0)),
    );
    if (first !== undefined) window.leave(first);
    expect(admitted).toEqual(['gone', 'next']);
  });

  test('one that fails at once does not let others in twice', () => {
    const window = new AppendWindow();
    const inFlight = fill(window);
    const admitted: number[] = [];
    for (let place = 0; place < 1_000; place++) {
      const admit = (): void => {
        admitted.push(place);
        window.leave(window.enter(1, 0));
      };
      window.wait(place, user(admit));
    }
    for (const append of inFlight.slice(0, 1)) window.leave(append);
    expect(admitted).toEqual(Array.from({ length: 1_000 }, (_, place) => place));
  });

  test('few of the largest size', () => {
    const window = new AppendWindow();
    expect(fill(window, 1_048_576)).toHaveLength(4);
    expect(fill(new AppendWindow(), 100_000)).toHaveLength(8);
  });

  test('as many of a good size as keep the server at work, however few the limit allows', () => {
    expect(fill(new AppendWindow(), 40_000)).toHaveLength(14);
    // These grow while they wait.
    expect(fill(new AppendWindow(), 16_383)).toHaveLength(8);
  });

  test('more of those that are full, which would not grow while they wait', () => {
    const window = new AppendWindow();
    expect(fill(window, 229_376, true)).toHaveLength(10);
    expect(fill(new AppendWindow(), 229_376)).toHaveLength(8);
    expect(fill(new AppendWindow(), 16_383, true)).toHaveLength(8);
  });

  test('one that becomes full while it waits is let in, unless an older one would be overtaken', () => {
    const window = new AppendWindow();
    fill(window, 100_000);
    const admitted: string[] = [];
    const waiting = (name: string) => ({ isFull: false, admitted: () => void admitted.push(name) });
    const [older, newer] = [waiting('older'), waiting('newer')];
    window.wait(1, older);
    window.wait(2, newer);
    newer.isFull = true;
    window.reconsider();
    expect(admitted).toEqual([]);
    older.isFull = true;
    window.reconsider();
    expect(admitted).toEqual(['older', 'newer']);
  });

  test('the least of any size while it is looked for the shortest time', () => {
    const window = new AppendWindow();
    window.answered(window.enter(40_000, 0), 1);
    expect(fill(window, 40_000)).toHaveLength(4);
  });

  test('who sends without having been asked is counted all the same', () => {
    const window = new AppendWindow();
    const inFlight = [...fill(window), window.enter(1, 0), window.enter(1, 0)];
    for (const append of inFlight.slice(0, 2)) window.leave(append);
    expect(window.hasRoomFor(user())).toBe(false);
    for (const append of inFlight.slice(2, 3)) window.leave(append);
    expect(window.hasRoomFor(user())).toBe(true);
  });
});

describe('the limit', () => {
  test.each([
    { server: { wayMs: 0.1, workMs: 0.1 }, least: 4, most: 8 },
    // Long enough for fifty looks back.
    { server: { wayMs: 0, workMs: 10 }, least: 4, most: 8 },
    // A hundred fit on the way.
    { server: { wayMs: 10, workMs: 0.1 }, least: 100, most: 110 },
  ])('keeps the server at work and its queue short: $server', ({ server, least, most }) => {
    const window = new AppendWindow();
    saturate(window, server, { users: 500, appends: 50_000 });
    expect(window.limit).toBeGreaterThanOrEqual(least);
    expect(window.limit).toBeLessThanOrEqual(most);
  });

  test('follows a way that becomes longer', () => {
    const window = new AppendWindow();
    const nowMs = saturate(window, { wayMs: 0.1, workMs: 0.1 }, { users: 500, appends: 10_000 });
    expect(window.limit).toBeLessThan(10);
    saturate(window, { wayMs: 10, workMs: 0.1 }, { users: 500, appends: 300_000, startMs: nowMs });
    expect(window.limit).toBeGreaterThanOrEqual(100);
  });

  test('does not rise while it limits nothing', () => {
    const window = new AppendWindow();
    const { limit } = window;
    for (let nowMs = 0; nowMs < 100_000; nowMs++) window.answered(window.enter(1, nowMs), nowMs + 1);
    expect(window.limit).toBe(limit);
  });

  test('does not change with what was given up', () => {
    const window = new AppendWindow();
    const { limit } = window;
    for (let count = 0; count < 1_000; count++) window.leave(window.enter(1, 0));
    expect(window.limit).toBe(limit);
  });
});
