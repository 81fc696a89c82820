/**
 * Ports for servers that tests stop and start again. Not `listen(0)`: that gives a port of the kernel's ephemeral range,
 * where it goes to any outgoing connection while its server is down, and where a client that reconnects to a dead port of
 * loopback can meet itself (TCP's simultaneous open) and believe that the server answers.
 */
import { createServer } from 'node:net';

/** Below the ephemeral ranges of Linux (32768), macOS and Windows (49152), above what services usually take. */
const lowest = 15_000;
const highest = 32_000;
const attempts = 100;

/** A port on loopback that nobody listens on now. Somebody may a moment later: whoever binds it must be ready to ask again. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest} after ${attempts} attempts`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
