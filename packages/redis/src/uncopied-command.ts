/**
 * A command whose bytes go to the socket as they lie in memory. The driver joins the parts of a command that has bytes
 * among its arguments in a new buffer, and writes each command by itself: a batch of 224 KiB was allocated, its pages
 * touched and its bytes copied a second time, and sixteen small batches of a turn were sixteen writes.
 */
import type { Socket } from 'node:net';
import { Command } from 'ioredis';

/** Only for a connection: a pipeline asks for the bytes without writing them. */
export class UncopiedCommand extends Command {
  /** Writes what precedes the last bytes argument and that itself; returns the rest, which the driver writes. */
  override toWritable(socket: Socket): string {
    // Until the end of this tick: commands that are sent together leave in one write.
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    let text = `*${this.args.length + 1}\r\n$${this.name.length}\r\n${this.name}\r\n`;
    for (const argument of this.args) {
      if (argument instanceof Buffer) {
        socket.write(`${text}$${argument.length}\r\n`);
        socket.write(argument);
        text = '\r\n';
      } else {
        // Numbers have become text when the command was made.
        const part = argument as string;
        text += `$${Buffer.byteLength(part)}\r\n${part}\r\n`;
      }
    }
    return text;
  }
}
