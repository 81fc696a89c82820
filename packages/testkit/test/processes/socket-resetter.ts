/** Resets a connection in the moment in which it is being ended, and then ends by itself. */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { resetSocket } from '../../src/proxy/reset-socket.ts';

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket
    .on('error', () => {})
    .resume()
    .unref();
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('connect', () => {
    socket.end();
    resetSocket(socket);
    socket.unref();
    server.unref();
  });
});
