/** Announces a send and is killed in the very next statement. */
import { openHistory } from '@millrace/testkit';

const { writer } = openHistory({ directory: process.argv[2] ?? '', proc: 'producer-1' });
writer.invoke('send', { topic: 'orders', value: 'a', acks: 'memory' });
process.kill(process.pid, 'SIGKILL');
writer.invoke('send', { topic: 'orders', value: 'b', acks: 'memory' });
