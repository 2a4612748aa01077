import process from 'node:process';
import { encodeBeat } from '../../../src/protocol/beat/beat-frame.ts';
import { loadLibc, POSIX } from '../../../src/posix/libc.ts';
import { connectTo, openDatagramSocket } from '../../../src/posix/unix-datagram.ts';

/**
 * `flood-child.ts PATH COUNT waiting|pushing`: sends so many beats without a pause. When the socket's queue is full, a
 * waiting one stands still, and a pushing one loses the beat. Prints how many the kernel took and refused.
 */
const [path = '', count = '0', manner] = process.argv.slice(2);
const libc = await loadLibc();
const socket = openDatagramSocket(libc) ?? -1;
const errno = connectTo(libc, socket, path);
if (errno !== 0) throw new Error(`cannot connect to ${path} (errno ${errno})`);
const flags = POSIX.MSG_NOSIGNAL | (manner === 'pushing' ? POSIX.MSG_DONTWAIT : 0);
const totals = { pid: process.pid, sent: 0, refused: 0 };
for (let nonce = 1n; nonce <= BigInt(count); nonce += 1n) {
  const beat = encodeBeat({ status: 'Ok', pid: process.pid, timestamp: 1n, nonce, payload: 0 });
  if (libc.send(socket, beat, beat.length, flags) === beat.length) totals.sent += 1;
  else totals.refused += 1;
}
process.stdout.write(`${JSON.stringify(totals)}\n`);
