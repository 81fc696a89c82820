/** What is sent: the same bytes on every side. Distinct, so that nobody profits from one that is hot in the caches. */

import { seededRandom } from '../seeded-random.ts';

export const VALUE_BYTES = 200;
const DISTINCT = 1_000;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const texts: readonly string[] = Array.from({ length: DISTINCT }, (_, seed) => {
  const random = seededRandom(seed);
  return Array.from({ length: VALUE_BYTES }, () => LETTERS[Math.floor(random() * 64)]).join('');
});
const buffers: readonly Buffer[] = texts.map((text) => Buffer.from(text, 'latin1'));

/** Random letters: nothing that a compression could make much of. */
export function textValue(index: number): string {
  return texts[index % DISTINCT] as string;
}

/** The same as bytes. */
export function bufferValue(index: number): Buffer {
  return buffers[index % DISTINCT] as Buffer;
}

const COUNTRIES = ['DE', 'FR', 'NL', 'SE', 'PL', 'IT', 'ES', 'AT'];
const STATES = ['placed', 'paid', 'packed', 'shipped', 'delivered', 'returned'];

/** An event of a shop, about 200 bytes: ids and amounts that differ, and names that do not. */
export function jsonValue(index: number): string {
  const random = seededRandom(index);
  const id = (): number => Math.floor(random() * 2 ** 31);
  return JSON.stringify({
    orderId: id(),
    customerId: `customer-${id() % 100_000}`,
    status: STATES[id() % STATES.length],
    country: COUNTRIES[id() % COUNTRIES.length],
    total: { amount: (id() % 100_000) / 100, currency: 'EUR' },
    items: 1 + (id() % 9),
    placedAt: new Date(1_700_000_000_000 + (id() % 1e9)).toISOString(),
    isGift: random() < 0.1,
  });
}
