import type { CloseReason } from '../../protocol/tunnel/close-code.ts';
import type { EdgeMessage, MessageOf, RelayMessage } from '../../protocol/tunnel/control-message.ts';
import type { TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { RelayEvent } from '../events/relay-event.ts';

export type BindMessage = MessageOf<EdgeMessage, 'tunnel_bind'>;

/** What a session decides; its runner carries it out. */
export type SessionAction =
  | { readonly kind: 'send'; readonly message: RelayMessage }
  /** Ask the tunnels; no frame is received before `answerBind`. */
  | { readonly kind: 'bind'; readonly message: BindMessage }
  /** The session has refused a bind itself; `adit why` reports it. */
  | { readonly kind: 'note-refusal'; readonly message: BindMessage; readonly reason: TunnelDownReason }
  | { readonly kind: 'unbind'; readonly tunnelId: TunnelId }
  /** The edge said what is wrong at its end of a tunnel; nothing when all is well again. */
  | { readonly kind: 'note-troubles'; readonly tunnelId: TunnelId; readonly troubles: readonly string[] }
  /** The first bind has succeeded: the limits of unauthenticated edges no longer apply. */
  | { readonly kind: 'prove' }
  | { readonly kind: 'close'; readonly reason: CloseReason }
  | { readonly kind: 'raise'; readonly event: RelayEvent }
  /** A small deviation, worth a debug line. */
  | { readonly kind: 'note'; readonly what: string };

/** What the tunnels decided on a bind. */
export type BindAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting' }
  /** An authorised edge asked for the leg if it is free, and it is not. The edge may stay and ask again. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: TunnelDownReason };

/** What happens to a session's tunnels by another's doing. */
export type SessionNotice =
  /** Both sides are bound. `first`: this leg has not got it before. */
  | { readonly kind: 'peer-ready'; readonly tunnelId: TunnelId; readonly first: boolean }
  | { readonly kind: 'peer-gone'; readonly tunnelId: TunnelId; readonly reason: TunnelDownReason }
  /** What is wrong at the peer's end now. */
  | { readonly kind: 'peer-troubles'; readonly tunnelId: TunnelId; readonly troubles: readonly string[] }
  /** This session's leg was taken by another connection. */
  | { readonly kind: 'replaced'; readonly tunnelId: TunnelId }
  /** This session's leg was taken away and will not come back on this connection. */
  | { readonly kind: 'ended'; readonly tunnelId: TunnelId; readonly reason: TunnelDownReason };
