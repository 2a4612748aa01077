import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../lib/collect-garbage.ts';
import { LoopGuard, type LoopPulse } from '../../lib/loop-pulse.ts';
import { monotonicNs } from '../../lib/monotonic-ns.ts';
import { loadLibc, POSIX } from '../../posix/libc.ts';
import { askToRunSoon } from '../../posix/ask-to-run-soon.ts';
import { DatagramRing } from './datagram-ring.ts';
import { batchSize, MessageBatch } from './message-batch.ts';
import { boottimeNs } from './observer-time.ts';

export interface ReceiveThreadData {
  readonly fd: number;
  readonly memory: SharedArrayBuffer;
  /** Start of the observer on the clock that its times are taken from. */
  readonly startNs: bigint;
  readonly clockSource: 'monotonic' | 'boottime';
  /** So many datagrams in one go mean that the socket's queue was full. */
  readonly fullQueue: number;
  /** Of the loop that this thread watches, beside its work. */
  readonly loopPulse: LoopPulse | null;
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
/** A few agents that beat at one instant are no flood, nor are those that waited while another program ran. */
const gatherAbove = 4;
const gatherAfterBatches = 8;
/** Linux lets sleepers of a thread be late by so much; its default would double the time above. */
const timerSlackNs = 1000;
/** The least that Linux grants. While the thread waits for a turn, a queue of eleven beats is soon full. */
const sliceNs = 100_000;

/** Receives until the ring is stopped. Only copies: every decision is taken by the thread that reads the ring. */
async function receive({ fd, memory, startNs, clockSource, fullQueue, loopPulse }: ReceiveThreadData): Promise<void> {
  const libc = await loadLibc();
  const ring = new DatagramRing(memory);
  const batch = new MessageBatch(libc);
  const gauge = new QueueGauge(fullQueue);
  const now = clockSource === 'monotonic' ? monotonicNs : () => boottimeNs(libc);
  const guard = loopPulse === null ? null : new LoopGuard(loopPulse);
  libc.prctl(POSIX.PR_SET_TIMERSLACK, timerSlackNs, 0, 0, 0);
  askToRunSoon(libc, sliceNs);
  // Now, since the loop below leaves no turn for it.
  flushCompileCache();
  await collectGarbage();
  parentPort?.postMessage('receiving');
  let largeInARow = 0;
  while (!ring.stopping) {
    const count = batch.receive(fd);
    const receivedNs = Number(now() - startNs);
    guard?.endIfStuck(receivedNs / 1e6);
    if (count < 0) {
      noteFailure(ring, libc.errno(), receivedNs);
      continue;
    }
    if (gauge.isFull(count)) ring.noteFullQueue();
    ring.publish(batch.copyTo(ring, count, receivedNs));
    largeInARow = count > gatherAbove ? largeInARow + 1 : 0;
    if (largeInARow > gatherAfterBatches) libc.usleep(gatherMicroseconds);
  }
  batch.free();
}

/** Knows from the sizes of batches when the socket's queue was full. */
class QueueGauge {
  readonly #fullQueue: number;
  #waiting = 0;

  constructor(fullQueue: number) {
    this.#fullQueue = fullQueue;
  }

  isFull(count: number): boolean {
    this.#waiting += count;
    const full = this.#waiting >= this.#fullQueue;
    // A batch that is not filled has emptied the queue.
    if (count < batchSize || full) this.#waiting = 0;
    return full;
  }
}

function noteFailure(ring: DatagramRing, errno: number, receivedNs: number): void {
  if (errno === EAGAIN || errno === EINTR) return;
  const failure = { receivedNs, size: 0, ctrlTruncated: false, credentials: null, errno };
  if (ring.write(0, failure, new Int32Array(), 0)) ring.publish(1);
  ring.pauseWriter(pauseAfterFailureMs);
}

await receive(workerData as ReceiveThreadData);
