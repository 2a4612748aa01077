import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../lib/collect-garbage.ts';
import { LoopGuard, type LoopPulse } from '../../lib/loop-pulse.ts';
import { monotonicNs } from '../../lib/monotonic-ns.ts';
import { loadLibc, POSIX } from '../../posix/libc.ts';
import { goOnAfterWaking } from '../../posix/thread-turns.ts';
import { DatagramRing } from './datagram-ring.ts';
import { batchSize, MessageBatch } from './message-batch.ts';
import { boottimeNs } from './observer-time.ts';
import { ReceivePace } from './receive-pace.ts';

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

/** Linux lets sleepers of a thread be late by so much; its default is 50 µs. */
const timerSlackNs = 1000;

/** Receives until the ring is stopped. Only copies: every decision is taken by the thread that reads the ring. */
async function receive({ fd, memory, startNs, clockSource, fullQueue, loopPulse }: ReceiveThreadData): Promise<void> {
  const libc = await loadLibc();
  const ring = new DatagramRing(memory);
  const batch = new MessageBatch(libc);
  const gauge = new QueueGauge(fullQueue);
  const pace = new ReceivePace(fullQueue);
  const now = clockSource === 'monotonic' ? monotonicNs : () => boottimeNs(libc);
  const guard = loopPulse === null ? null : new LoopGuard(loopPulse);
  libc.prctl(POSIX.PR_SET_TIMERSLACK, timerSlackNs, 0, 0, 0);
  // While the thread waits for a turn, a queue of eleven beats is soon full.
  goOnAfterWaking(libc, 'atOnce');
  // Now, since the loop below leaves no turn for it.
  flushCompileCache();
  await collectGarbage();
  parentPort?.postMessage('receiving');
  let [inFlood, hasRested] = [false, false];
  while (!ring.stopping) {
    const wakes = ring.wakes;
    const count = batch.receive(fd);
    const receivedNs = Number(now() - startNs);
    guard?.endIfStuck();
    if (count < 0) {
      noteFailure(ring, libc.errno(), receivedNs);
      continue;
    }
    const isFull = gauge.isFull(count);
    if (isFull) ring.noteFullQueue();
    ring.publish(batch.copyTo(ring, count, receivedNs, hasRested));
    pace.note(count, isFull, receivedNs);
    if (pace.inFlood !== inFlood) {
      inFlood = pace.inFlood;
      goOnAfterWaking(libc, inFlood ? 'inTurn' : 'atOnce');
    }
    // A batch that is filled may have left some behind.
    if (count === batchSize) continue;
    const restMs = pace.restMs(receivedNs);
    hasRested = restMs > 0;
    if (hasRested) ring.rest(restMs, wakes);
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
