import { Worker, type MessagePort } from 'node:worker_threads';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { MediaEvent } from './flow-event.ts';
import type { FlowReport } from './flow-stats.ts';
import type { HostMessage, HostOrder, HostQuestion, HostRequest, RtcDoor } from './host-message.ts';
import type { OfferOutcome } from './offer-taker.ts';

export interface MediaHostObserver {
  event(flowId: string, event: MediaEvent): void;
  /** Once a second. */
  reports(reports: readonly FlowReport[]): void;
  /** The worker has ended by itself; its flows are gone. Orders that waited have failed. */
  died(error: string): void;
}

/** A worker thread for media, as the main thread sees it. */
export interface MediaHost {
  /**
   * Rejects with AppError `address-unavailable` and the worker's words when it could not be done, `closed` without a
   * worker.
   */
  order(order: HostOrder): Promise<void>;
  /** An offer to a WebRTC input or output. Rejects with AppError `closed` without a worker. */
  offer(door: RtcDoor, sdp: string): Promise<OfferOutcome>;
  /** Ends a session at its peer's wish. False for an unknown one. */
  hangUp(door: RtcDoor, sessionId: string): Promise<boolean>;
  /** Flows may name a tunnel in any of these ways from now on; datagrams go over the port. */
  attachTunnel(tunnels: readonly string[], port: MessagePort): void;
  /** Ends all flows and the worker. Idempotent. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (outcome?: OfferOutcome | boolean) => void;
  readonly reject: (error: AppError) => void;
}

/** More than this is a leak, and ends the worker instead of the program. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

/** Starts the thread `media`. */
export function startMediaHost(observer: MediaHostObserver): MediaHost {
  return new WorkerHost(observer);
}

class WorkerHost implements MediaHost {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended = false;

  constructor(observer: MediaHostObserver) {
    let error = 'the media worker ended';
    this.#worker = new Worker(new URL('./media-worker.ts', import.meta.url), { name: 'media', resourceLimits });
    this.#worker.on('message', (message: HostMessage) => this.#onMessage(message, observer));
    this.#worker.on('error', (cause) => (error = errorMessage(cause)));
    this.#worker.on('exit', () => {
      const unexpected = !this.#ended;
      this.#ended = true;
      for (const { reject } of this.#waiting.values()) reject(new AppError('closed', error));
      this.#waiting.clear();
      if (unexpected) observer.died(error);
    });
  }

  order(order: HostOrder): Promise<void> {
    return this.#ask((id) => ({ id, order })).then(() => undefined);
  }

  async offer(door: RtcDoor, sdp: string): Promise<OfferOutcome> {
    const question: HostQuestion = { kind: 'offer', door, sdp };
    return (await this.#ask((id) => ({ id, question }))) as OfferOutcome;
  }

  async hangUp(door: RtcDoor, sessionId: string): Promise<boolean> {
    const question: HostQuestion = { kind: 'hang-up', door, sessionId };
    return (await this.#ask((id) => ({ id, question }))) === true;
  }

  attachTunnel(tunnels: readonly string[], port: MessagePort): void {
    this.#worker.postMessage({ tunnels, port } satisfies HostRequest, [port]);
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    // A worker that has just died cannot close anything any more.
    await this.order({ kind: 'stop' }).catch(() => undefined);
    this.#ended = true;
    await this.#worker.terminate();
  }

  #ask(request: (id: number) => HostRequest): Promise<OfferOutcome | boolean | undefined> {
    if (this.#ended) return Promise.reject(new AppError('closed', 'the media worker does not run'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(request(id));
    });
  }

  #onMessage(message: HostMessage, observer: MediaHostObserver): void {
    if (message.kind === 'event') observer.event(message.flowId, message.event);
    else if (message.kind === 'reports') observer.reports(message.reports);
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'outcome') waiting?.resolve(message.outcome);
      else if (message.error === null) waiting?.resolve();
      else waiting?.reject(new AppError('address-unavailable', message.error));
    }
  }
}
