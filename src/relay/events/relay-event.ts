import type { BindRefusal } from '../../protocol/tunnel/bind-refusal.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { LinkEvent } from '../../protocol/node/link-event.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

/** One end of a tunnel, as events name it. */
export interface EdgeRef {
  readonly edgeId: string | null;
  readonly remoteAddr: string;
}

export type TunnelCloseCause =
  'closed by manager' | 'deleted by REST' | 'revoked' | 'authorisation changed' | 'drained';

interface OnConnection {
  /** `ip:port`, IPv6 in brackets. */
  readonly remoteAddr: string;
}

interface OnTunnel {
  readonly tunnelId: TunnelId;
}

/** The events of docs/protocol/events.md, with what fills their texts. `event-text.ts` has the texts. */
export type RelayEvent =
  | ({ readonly kind: 'edge-connected' } & OnConnection)
  | ({ readonly kind: 'edge-disconnected'; readonly reason: string } & OnConnection)
  | ({ readonly kind: 'edge-connection-failed'; readonly reason: string } & OnConnection)
  | ({ readonly kind: 'version-mismatch'; readonly edgeVersion: number; readonly relayVersion: number } & OnConnection)
  | ({
      readonly kind: 'per-ip-cap-exceeded';
      readonly remoteIp: string;
      readonly activeConnections: number;
      readonly cap: number;
    } & OnConnection)
  | {
      readonly kind: 'accept-failed';
      readonly remoteIp: string | null;
      readonly error: string;
      readonly bindAddr: string;
    }
  | ({ readonly kind: 'tunnel-active'; readonly ingress: EdgeRef; readonly egress: EdgeRef } & OnTunnel)
  | ({ readonly kind: 'tunnel-waiting'; readonly direction: Direction } & OnTunnel)
  | ({ readonly kind: 'tunnel-unbound'; readonly direction: Direction } & OnTunnel)
  | ({ readonly kind: 'tunnel-down'; readonly direction: Direction } & OnTunnel)
  | ({ readonly kind: 'tunnel-closed'; readonly cause: TunnelCloseCause } & OnTunnel)
  | ({
      readonly kind: 'bind-rejected';
      readonly direction: Direction;
      readonly reason: BindRefusal;
    } & OnTunnel &
      OnConnection)
  | ({ readonly kind: 'bind-cap-exceeded'; readonly activeBinds: number; readonly cap: number } & OnTunnel &
      OnConnection)
  | ({
      readonly kind: 'leg-replaced';
      readonly direction: Direction;
      readonly oldEdge: EdgeRef;
      readonly newEdge: EdgeRef;
    } & OnTunnel)
  | ({
      readonly kind: 'leg-held';
      readonly direction: Direction;
      readonly holder: EdgeRef;
      readonly reason: 'leg-held' | 'replaced-too-often';
    } & OnTunnel &
      OnConnection)
  | ({
      readonly kind: 'datagrams-dropped';
      readonly reason: string;
      /** By the leg that sent them. */
      readonly ingress: number;
      readonly egress: number;
      readonly windowSecs: number;
    } & OnTunnel)
  | {
      readonly kind: 'streams-refused';
      /** Null: a limit of the whole relay. */
      readonly tunnelId: TunnelId | null;
      readonly reason: string;
      readonly count: number;
      readonly windowSecs: number;
    }
  | LinkEvent;

export type RelayEventKind = RelayEvent['kind'];
export type RelayEventOf<Kind extends RelayEventKind> = Extract<RelayEvent, { kind: Kind }>;
