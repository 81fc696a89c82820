import { describe, expect, test } from 'vitest';
import { murmur2 } from './murmur2.ts';

const encoder = new TextEncoder();

describe('murmur2', () => {
  // Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("gives the hash of Kafka's Java client for %j", (key, hash) => {
    expect(murmur2(encoder.encode(key))).toBe(hash);
  });

  // librdkafka, src/rdmurmur2.c: results of the Java client, for every length modulo 4.
  test.each([
    ['', 0x106e08d9],
    ['kafka', 0xd067cf64],
    ['giberish123456789', 0x8f552b0c],
    ['1234', 0x9fc97b14],
    ['234', 0xe7c009ca],
    ['34', 0x873930da],
    ['4', 0x5a4b5ca1],
    ['PreAmbleWillBeRemoved,ThePrePartThatIs', 0x78424f1c],
    ['reAmbleWillBeRemoved,ThePrePartThatIs', 0x4a62b377],
    ['eAmbleWillBeRemoved,ThePrePartThatIs', 0xe0e4e09e],
    ['AmbleWillBeRemoved,ThePrePartThatIs', 0x62b8b43f],
  ])('gives the hash of librdkafka for %j', (key, hash) => {
    expect(murmur2(encoder.encode(key)) >>> 0).toBe(hash);
  });

  test('reads a view and not the buffer below it', () => {
    const buffer = encoder.encode('xxfoobarxx');
    expect(murmur2(buffer.subarray(2, 8))).toBe(-790332482);
  });
});
