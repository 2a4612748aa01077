import { AppError } from '../../../src/lib/app-error.ts';
import type { MediaHost, MediaHostObserver } from '../../../src/media/flow/media-host.ts';
import type { OfferOutcome } from '../../../src/media/flow/offer-taker.ts';
import type { HostOrder } from '../../../src/media/flow/host-message.ts';

/** A media worker without media: notes its orders, and refuses what a test says. */
export class FakeMediaHost implements MediaHost {
  readonly orders: HostOrder[] = [];
  readonly observer: MediaHostObserver | null;
  /** Why the next order of this kind fails. */
  readonly refusals = new Map<HostOrder['kind'], string>();
  stopped = false;

  constructor(observer: MediaHostObserver | null = null) {
    this.observer = observer;
  }

  order(order: HostOrder): Promise<void> {
    this.orders.push(order);
    const refusal = this.refusals.get(order.kind);
    if (refusal === undefined) return Promise.resolve();
    this.refusals.delete(order.kind);
    return Promise.reject(new AppError('address-unavailable', refusal));
  }

  offer(): Promise<OfferOutcome> {
    return Promise.resolve({ kind: 'refused', status: 503, error: 'no media here' });
  }

  hangUp(): Promise<boolean> {
    return Promise.resolve(false);
  }

  attachTunnel(): void {
    return;
  }

  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }
}
