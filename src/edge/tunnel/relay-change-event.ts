import type { EdgeEvent, TunnelRef } from '../events/edge-event.ts';
import type { RelayChange } from '../uplink/bind-outcome.ts';

/** The event of what became of a tunnel's bind at one relay; `relayAddr` is host:port as configured. */
export function relayChangeEvent(change: RelayChange, tunnel: TunnelRef, relayAddr: string): EdgeEvent {
  const common = { tunnel, relayAddr };
  switch (change.kind) {
    case 'connected':
      return { kind: 'relay-connected', ...common, peer: change.peer };
    case 'peer-gone':
      return { kind: 'peer-disconnected', ...common, reason: change.reason };
    case 'disconnected':
      return { kind: 'relay-disconnected', ...common, reason: change.reason };
    case 'refused':
      return { kind: 'bind-rejected', ...common, reason: change.reason };
    case 'failed':
      return { kind: 'relay-connection-failed', ...common, error: change.error };
  }
}
