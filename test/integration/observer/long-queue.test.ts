import { readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBeatSocket } from '../../../src/observer/beats/beat-socket.ts';
import { DatagramRing } from '../../../src/observer/beats/datagram-ring.ts';
import { batchSize, MessageBatch } from '../../../src/observer/beats/message-batch.ts';
import { openWithQueue, queueLength } from '../../../src/posix/beat-queue.ts';
import { loadLibc } from '../../../src/posix/libc.ts';
import { connectTo, openDatagramSocket, sendNow } from '../../../src/posix/unix-datagram.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';

/** More than wait by Linux's own setting, fewer than the kernel lets one sender have on their way. */
const many = 100;
const nsPerMs = 1e6;
const warning = 'few beats can wait in the socket';

const libc = await loadLibc();
const isPrivileged = hasLongQueue();
if (!isPrivileged) process.stdout.write('no CAP_SYS_ADMIN: long queues are left out\n');

function hasLongQueue(): boolean {
  const fd = openWithQueue(libc, many);
  if (fd !== null) libc.close(fd);
  return fd !== null;
}

describe('beats that wait in the socket', () => {
  let folder: string;
  let socket: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    socket = join(folder, 'o.sock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.runIf(isPrivileged)('are 100 while an observer of root stands still, and it accepts all of them', async () => {
    const flags = ['--threshold-ms', '30000', '--max-beat-rate', '0', '--print', 'all'];
    await using observer = await startObserverProcess(['--socket', socket, ...flags]);
    await using agent = await AgentProcess.start(socket);
    observer.child.kill('SIGSTOP');
    for (let beat = 0; beat < many; beat += 1) expect(await agent.beat()).toBe(0);
    observer.child.kill('SIGCONT');
    await until(() => observer.events().filter(({ type }) => type === 'Beat').length === many);
    expect(observer.log()).not.toContain(warning);
  });

  it.runIf(isPrivileged)(
    'are as many as the system says without CAP_SYS_ADMIN, and the observer warns of it',
    async () => {
      const wrapper = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin'];
      const flags = ['--threshold-ms', '30000', '--print', 'all'];
      await using observer = await startObserverProcess(['--socket', socket, ...flags], undefined, wrapper);
      await using agent = await AgentProcess.start(socket);
      await agent.beat();
      await until(() => observer.events().some(({ type }) => type === 'Beat'));
      await until(() => observer.log().includes(warning) || queueLength() >= 64);
    },
  );

  it('leave the network of the program as it was', async () => {
    const network = (): string => readlinkSync('/proc/thread-self/ns/net');
    const [before, length] = [network(), queueLength()];
    const opened = openBeatSocket(libc, { path: socket, mode: 0o600, receiveBufferBytes: 0 });
    expect([network(), queueLength()]).toEqual([before, length]);
    expect(opened.queueLength).toBe(isPrivileged ? Math.max(length, 512) + 1 : length + 1);
    await opened.close();
  });

  it('have the times at which they came', async () => {
    const opened = openBeatSocket(libc, { path: socket, mode: 0o600, receiveBufferBytes: 0 });
    await opened.bind();
    const [batch, ring] = [new MessageBatch(libc), new DatagramRing({ capacity: batchSize })];
    const sender = openDatagramSocket(libc) ?? -1;
    expect(connectTo(libc, sender, socket)).toBe(0);
    const readNs = 1e12;
    // A busy machine may make the first one wait for too long to be believed.
    await until(async () => {
      sendNow(libc, sender, new Uint8Array(32));
      await pause(5);
      sendNow(libc, sender, new Uint8Array(32));
      const times: number[] = [];
      ring.publish(batch.copyTo(ring, batch.receive(opened.fd), readNs, true));
      ring.drain(batchSize, ({ receivedNs, credentials }) => {
        expect(credentials?.pid).toBe(process.pid);
        times.push(receivedNs);
      });
      const [first = 0, second = 0] = times;
      return second - first >= 4 * nsPerMs && second < readNs;
    });
    batch.free();
    libc.close(sender);
    await opened.close();
  });
});
