/**
 * Which of the 16,384 slots of a Redis Cluster a key lies in: CRC16 (XMODEM) of the key, or of what stands between its
 * first braces. Source: Redis Cluster specification, "Key distribution model" and "Hash tags".
 */
export const SLOTS = 16_384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

export function hashSlot(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashedPart(key)))
    crc = ((crc << 8) & 0xffff) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] ?? 0);
  return crc % SLOTS;
}

/** An empty tag, and one that is never closed, count for nothing. */
function hashedPart(key: string): string {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}
