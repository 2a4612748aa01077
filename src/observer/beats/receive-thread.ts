import { parentPort, workerData } from 'node:worker_threads';
import { monotonicNs } from '../../lib/monotonic-ns.ts';
import { loadLibc, POSIX } from '../../posix/libc.ts';
import { DatagramRing } from './datagram-ring.ts';
import { batchSize, MessageBatch } from './message-batch.ts';
import { bootreceivedNs } from './observer-time.ts';

export interface ReceiveThreadData {
  readonly fd: number;
  readonly memory: SharedArrayBuffer;
  /** Start of the observer on the clock that its times are taken from. */
  readonly startNs: bigint;
  readonly clockSource: 'monotonic' | 'boottime';
  /** So many datagrams in one go mean that the socket's queue was full. */
  readonly fullQueue: number;
}

const EAGAIN = 11;
const EINTR = 4;
/** A socket that fails again and again must not take a core. */
const pauseAfterFailureMs = 100;

/**
 * Where beats come quickly, the thread sleeps for so long after each batch: to block costs more than to receive, and
 * the next batch is larger. The smallest queue, of eleven, is full no sooner than at 275 000 beats a second.
 */
const gatherMicroseconds = 40;
/** Linux lets sleepers of a thread be late by so much; its default would double the time above. */
const timerSlackNs = 1000;

/** Receives until the ring is stopped. Only copies: every decision is taken by the thread that reads the ring. */
async function receive({ fd, memory, startNs, clockSource, fullQueue }: ReceiveThreadData): Promise<void> {
  const libc = await loadLibc();
  const ring = new DatagramRing(memory);
  const batch = new MessageBatch(libc);
  const now = clockSource === 'monotonic' ? monotonicNs : () => bootreceivedNs(libc);
  libc.prctl(POSIX.PR_SET_TIMERSLACK, timerSlackNs, 0, 0, 0);
  let waiting = 0;
  parentPort?.postMessage('receiving');
  while (!ring.stopping) {
    const count = batch.receive(fd);
    const receivedNs = Number(now() - startNs);
    if (count >= 0) {
      waiting += count;
      if (waiting >= fullQueue) ring.noteFullQueue();
      // A smaller batch has emptied the queue.
      if (count < batchSize || waiting >= fullQueue) waiting = 0;
      ring.publish(batch.copyTo(ring, count, receivedNs));
      if (count > 1) libc.usleep(gatherMicroseconds);
      continue;
    }
    const errno = libc.errno();
    if (errno === EAGAIN || errno === EINTR) continue;
    const failure = { receivedNs, size: 0, ctrlTruncated: false, credentials: null, errno };
    if (ring.write(0, failure, new Int32Array(), 0)) ring.publish(1);
    ring.pauseWriter(pauseAfterFailureMs);
  }
  batch.free();
}

await receive(workerData as ReceiveThreadData);
