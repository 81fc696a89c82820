import { expect, test } from 'vitest';
import { describeLayout, ownsSlot, parseClusterNodes } from './cluster-nodes.ts';

const text = [
  'aaa 127.0.0.1:7001@17001,host-a myself,master - 0 1690000000000 2 connected 0-5460 5462 [93->-bbb] [94-<-bbb]',
  'bbb 127.0.0.1:7002@17002 master,fail? - 0 1690000000000 3 disconnected 5461 5463-16383',
  'ccc 127.0.0.1:7003@17003 slave aaa 0 1690000000000 2 connected',
  'ddd :0@0 handshake,noaddr - 0 0 0 disconnected',
  '',
].join('\n');

test('what a node tells is read: parts, epochs, single slots and ranges, slots on their way left out', () => {
  const [first, second, third, fourth] = parseClusterNodes(text);
  expect(first).toEqual({
    id: 'aaa',
    port: 7001,
    isMyself: true,
    isPrimary: true,
    primaryId: undefined,
    isDoubtful: false,
    configEpoch: 2,
    slots: [
      [0, 5460],
      [5462, 5462],
    ],
  });
  expect(second).toMatchObject({ port: 7002, isMyself: false, isDoubtful: true });
  expect(third).toMatchObject({ isPrimary: false, primaryId: 'aaa', slots: [] });
  expect(fourth).toMatchObject({ isDoubtful: true });
  expect([5460, 5461, 5462, 5463].map((slot) => ownsSlot(first!, slot))).toEqual([true, false, true, false]);
});

test('two nodes of one mind give one layout, whoever tells it', () => {
  const [first, second, third] = parseClusterNodes(text);
  const other = [third!, { ...second!, isMyself: true }, { ...first!, isMyself: false }];
  expect(describeLayout(other)).toBe(describeLayout([first!, second!, third!]));
  expect(describeLayout([first!, second!, { ...third!, primaryId: 'bbb' }])).not.toBe(describeLayout(other));
});
