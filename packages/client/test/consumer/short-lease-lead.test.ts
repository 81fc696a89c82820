/** Who leads when a leader goes together with all of its deputies. */
import { eventually } from '@millrace/testkit';
import { describe } from 'vitest';
import { test } from './consumer-fixture.ts';

describe('a leader that leaves with all its deputies', () => {
  test('is followed by whoever stays, also where heartbeats come faster than campaigns', async ({
    stage,
  }) => {
    await stage.createTopic(5);
    const leaving = [];
    for (let count = 0; count < 4; count++) leaving.push(await stage.worker({ leaseMs: 300 }));
    const staying = await stage.worker({ leaseMs: 300 });
    await eventually(() => staying.owned.length === 1);
    await Promise.all(leaving.map((member) => member.close()));
    await staying.untilOwns(0, 1, 2, 3, 4);
  });
});
