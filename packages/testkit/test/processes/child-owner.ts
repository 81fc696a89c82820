import { spawn } from 'node:child_process';

const grandchild = spawn('/bin/sh', ['-c', 'read -r line'], { stdio: ['pipe', 'ignore', 'ignore'] });
process.send?.({ pid: process.pid, grandchild: grandchild.pid });
process.on('message', () => {});
