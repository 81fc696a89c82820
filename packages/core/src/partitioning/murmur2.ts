/**
 * MurmurHash2, 32 bit, with the seed of Kafka's Java client, bit for bit: a team that moves from Kafka keeps the
 * partition of every key. Reference: `org.apache.kafka.common.utils.Utils.murmur2`.
 */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const ROTATION = 24;

/** Returns a signed 32-bit integer, as Java does. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const wholeWords = length & ~3;
  for (let index = 0; index < wholeWords; index += 4) {
    let word =
      byteAt(bytes, index) |
      (byteAt(bytes, index + 1) << 8) |
      (byteAt(bytes, index + 2) << 16) |
      (byteAt(bytes, index + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> ROTATION;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length - wholeWords;
  if (rest === 3) hash ^= byteAt(bytes, wholeWords + 2) << 16;
  if (rest >= 2) hash ^= byteAt(bytes, wholeWords + 1) << 8;
  if (rest >= 1) {
    hash ^= byteAt(bytes, wholeWords);
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Every index above is inside the array; the fallback only satisfies the compiler and is folded away. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
