import { readlinkSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import koffi from 'koffi';
import { loadLibc, POSIX } from '../../../src/posix/libc.ts';
import { connectTo, openDatagramSocket, sendNow } from '../../../src/posix/unix-datagram.ts';

/**
 * A process that sends what it is told to a UNIX socket: `agent-child.ts PATH`, then one order of JSON a line, each answered
 * with `{"errno":0}`. First it says who it is: its pid here, and in the namespace that /proc shows.
 */
interface Order {
  /** What to send, in hex. */
  readonly hex: string;
  /** How many descriptors to attach. */
  readonly descriptors?: number;
}

const libc = await loadLibc();
const socket = openDatagramSocket(libc) ?? -1;
const connected = connectTo(libc, socket, process.argv[2] ?? '');
const hello = { pid: process.pid, outerPid: Number(readlinkSync('/proc/self')), connected };
process.stdout.write(`${JSON.stringify(hello)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { hex, descriptors = 0 } = JSON.parse(line) as Order;
  const data = Uint8Array.from(Buffer.from(hex, 'hex'));
  const errno = descriptors === 0 ? sendNow(libc, socket, data) : sendWithDescriptors(data, descriptors);
  process.stdout.write(`${JSON.stringify({ errno })}\n`);
}

/** struct msghdr with one SCM_RIGHTS message that holds standard input several times. */
function sendWithDescriptors(data: Uint8Array, count: number): number {
  const sendmsg = koffi.load(null).func('int64_t sendmsg(int, void *, int)');
  const [head, vectorAt, dataAt, controlAt] = [0, 64, 128, 256];
  const memory: unknown = libc.calloc(1024, 1);
  const view = new DataView(libc.view(memory, 1024));
  const base = libc.address(memory);
  const controlBytes = 16 + 4 * count;
  new Uint8Array(view.buffer).set(data, dataAt);
  view.setBigUint64(vectorAt, base + BigInt(dataAt), true);
  view.setBigUint64(vectorAt + 8, BigInt(data.length), true);
  view.setBigUint64(head + 16, base + BigInt(vectorAt), true);
  view.setBigUint64(head + 24, 1n, true);
  view.setBigUint64(head + 32, base + BigInt(controlAt), true);
  view.setBigUint64(head + 40, BigInt(controlBytes), true);
  view.setBigUint64(controlAt, BigInt(controlBytes), true);
  view.setInt32(controlAt + 8, POSIX.SOL_SOCKET, true);
  view.setInt32(controlAt + 12, 1, true);
  for (let index = 0; index < count; index += 1) view.setInt32(controlAt + 16 + 4 * index, 0, true);
  const sent = Number(sendmsg(socket, memory, POSIX.MSG_DONTWAIT));
  return sent < 0 ? libc.errno() : 0;
}
