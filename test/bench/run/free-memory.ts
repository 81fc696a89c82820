/** Memory that can be had without swapping. */
import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';

/** What Linux calls available counts caches that would be given up; `freemem` does not. */
export async function freeBytes(): Promise<number> {
  const info = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kib = /^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1_024;
}
