/**
 * Asks a server once, over a bare socket, whether it is the process that we started and has finished loading. Not through
 * a client library: a client reconnects, queues and waits, and a probe that is repeated every few milliseconds must not.
 */
import { connect } from 'node:net';

export type ProbeResult = 'ready' | 'notYet' | 'otherServer';

/** `otherServer`: the port is answered by a process that is not `pid`. Never rejects. */
export async function probeRedis(
  port: number,
  pid: number,
  password: string | undefined,
): Promise<ProbeResult> {
  const commands = [['PING'], ['INFO', 'server'], ['QUIT']];
  if (password !== undefined) commands.unshift(['AUTH', password]);
  const reply = await exchange(port, commands.map(encodeCommand).join(''));
  const answeredBy = /^process_id:(\d+)/m.exec(reply)?.[1];
  if (answeredBy === undefined) return 'notYet';
  if (Number(answeredBy) !== pid) return 'otherServer';
  // While it loads its data, Redis answers INFO but refuses PING.
  return reply.includes('+PONG') ? 'ready' : 'notYet';
}

function encodeCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let reply = '';
    socket.setEncoding('utf8');
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: string) => (reply += chunk));
    socket.on('error', () => {}); // 'close' follows and answers
    socket.on('close', () => resolve(reply));
  });
}
