import type { Socket } from 'node:net';

/**
 * Ends a socket with RST, or as abruptly as it still can be. A socket that is being shut down must not be reset: libuv
 * refuses it, Node (seen in 26.10) then has neither closed nor kept the handle, and the process spins when it should exit.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
