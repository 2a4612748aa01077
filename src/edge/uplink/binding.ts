import { isDeepStrictEqual } from 'node:util';
import { computeBindProof, computeBindToken } from '../../protocol/tunnel/bind-token.ts';
import type { EdgeMessage, MessageOf, RelayMessage } from '../../protocol/tunnel/control-message.ts';
import type { Direction, TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { EDGE_FEATURES, IF_FREE, PROTOCOL_VERSION, TUNNEL_TROUBLE } from '../../protocol/tunnel/limits.ts';
import { tunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

export interface BindingSettings {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  readonly bindSecret: string | null;
  readonly requireBindProof: boolean;
  readonly edgeId: string;
  readonly softwareVersion: string;
}

/** What a connection's first bind does when another connection holds the leg: it takes the leg, or leaves it there. */
export type BindManner = 'take' | 'if-free';

/**
 * `greeting`: the bind waits for the relay's challenge. `binding`: sent, no answer. `waiting`: held, the peer is away.
 * `replaced`: another connection holds the leg, and `claim` asks for it. `over`: the connection is of no more use and
 * is to be closed.
 */
export type BindingPhase = 'greeting' | 'binding' | 'waiting' | 'ready' | 'replaced' | 'over';

/** What the runner is to do, in this order. */
export type BindingStep =
  | { readonly kind: 'send'; readonly message: EdgeMessage }
  /** Call `helloAckOverdue` when HELLO_ACK_WAIT_MS are over. */
  | { readonly kind: 'await-hello-ack' }
  /** The relay took the bind; or the peer came, also back. */
  | { readonly kind: 'bound'; readonly peer: 'absent' | 'present' }
  | { readonly kind: 'peer-gone'; readonly reason: string }
  /** What is wrong at the other edge's end now. */
  | { readonly kind: 'peer-troubles'; readonly troubles: readonly string[] }
  /** Another connection took the leg. With `canClaim` the relay reports later, after `claim`, whether it is free. */
  | { readonly kind: 'replaced'; readonly reason: string; readonly canClaim: boolean }
  /**
   * Another connection held the leg before us. As `replaced` with `canClaim`, but this connection never had the leg.
   */
  | { readonly kind: 'taken'; readonly reason: string }
  /** The relay did not take the bind. Close, try again with back-off. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The token must not be shown and the relay asks for no proof. Close, try again with back-off. */
  | { readonly kind: 'no-challenge' }
  /** A bind that was held has ended. Close, bind again on a new connection. */
  | { readonly kind: 'ended'; readonly reason: string };

/** Reasons that leave the leg where it is: the peer may come back (docs/protocol/tunnel.md §2.4 and §2.6). */
const peerReasons: ReadonlySet<string> = new Set([tunnelDownReason.peerDisconnected, tunnelDownReason.peerUnbound]);

const legReasons: ReadonlySet<string> = new Set([tunnelDownReason.replaced, tunnelDownReason.legHeld]);

/**
 * The bind of one tunnel on one connection to a relay, from hello to the end. Pure (docs/protocol/tunnel.md §2, §5,
 * §7).
 */
export class Binding {
  readonly #settings: BindingSettings;
  readonly #manner: BindManner;
  #phase: BindingPhase = 'greeting';
  #held = false;
  /** Of the relay's hello_ack. */
  #relayKnowsIfFree = false;
  #relayKnowsTroubles = false;
  #challenge: string | undefined;
  /** The troubles that the relay was sent last for this leg; a peer that comes later gets them from there. */
  #sentTroubles: readonly string[] = [];

  constructor(settings: BindingSettings, manner: BindManner) {
    this.#settings = settings;
    this.#manner = manner;
  }

  get phase(): BindingPhase {
    return this.#phase;
  }

  /** Whether the relay has taken a bind on this connection; it may have ended since. */
  get held(): boolean {
    return this.#held;
  }

  /** The connection is there. Where nothing depends on the relay's answer, all is sent at once. */
  open(): readonly BindingStep[] {
    const { edgeId, softwareVersion, bindSecret } = this.#settings;
    const hello: MessageOf<EdgeMessage, 'hello'> = {
      type: 'hello',
      protocol_version: PROTOCOL_VERSION,
      software_version: softwareVersion,
      features: [...EDGE_FEATURES],
    };
    const greeting: BindingStep[] = [
      { kind: 'send', message: hello },
      { kind: 'send', message: { type: 'identify', edge_id: edgeId } },
    ];
    const needsAnswer = bindSecret !== null || this.#manner === 'if-free';
    return [...greeting, ...(needsAnswer ? [{ kind: 'await-hello-ack' } as const] : this.#bindFirst())];
  }

  /**
   * No answer to hello in time: the relay is an old one. One that has said that another edge has the leg always
   * answers, so there the bind waits for it.
   */
  helloAckOverdue(): readonly BindingStep[] {
    return this.#phase === 'greeting' && this.#manner === 'take' ? this.#bindFirst() : [];
  }

  /** This end's troubles, for the relay to forward. Empty when they are unchanged or the relay forwards none. */
  tellTroubles(troubles: readonly string[]): readonly BindingStep[] {
    if (this.#phase !== 'ready' || !this.#relayKnowsTroubles || isDeepStrictEqual(troubles, this.#sentTroubles))
      return [];
    this.#sentTroubles = troubles;
    const { tunnelId: tunnel_id } = this.#settings;
    return [{ kind: 'send', message: { type: 'tunnel_trouble', tunnel_id, troubles: [...troubles] } }];
  }

  /** Asks for a leg that another connection holds, in case that one is gone. To be called every CLAIM_INTERVAL_MS. */
  claim(): readonly BindingStep[] {
    return this.#phase === 'replaced' && this.#relayKnowsIfFree ? this.#bindAuthorized('if-free') : [];
  }

  /** A message about our tunnel or the connection, from the control stream or a uni stream. */
  receive(message: RelayMessage): readonly BindingStep[] {
    if (this.#phase === 'over' || ('tunnel_id' in message && message.tunnel_id !== this.#settings.tunnelId)) return [];
    switch (message.type) {
      case 'hello_ack':
        return this.#receiveHelloAck(message);
      case 'tunnel_waiting':
        return this.#isAsking() ? this.#becomeBound('absent') : [];
      case 'tunnel_ready':
        return this.#receiveReady();
      case 'tunnel_down':
        return this.#receiveDown(message.reason);
      case 'tunnel_trouble':
        return [{ kind: 'peer-troubles', troubles: message.troubles }];
      case 'pong':
        return [];
    }
  }

  #receiveHelloAck({
    features,
    bind_challenge: challenge,
  }: MessageOf<RelayMessage, 'hello_ack'>): readonly BindingStep[] {
    this.#relayKnowsIfFree = features.includes(IF_FREE);
    this.#relayKnowsTroubles = features.includes(TUNNEL_TROUBLE);
    this.#challenge = challenge;
    return this.#phase === 'greeting' ? this.#bindFirst() : [];
  }

  #receiveReady(): readonly BindingStep[] {
    return this.#phase === 'greeting' || this.#phase === 'ready' ? [] : this.#becomeBound('present');
  }

  #receiveDown(reason: string): readonly BindingStep[] {
    if (peerReasons.has(reason)) return this.#receivePeerGone(reason);
    // A second word about a leg that is another connection's: the answer to `claim`.
    if (this.#phase === 'replaced' && legReasons.has(reason)) return [];
    if (reason === tunnelDownReason.replaced && this.#phase !== 'greeting') {
      this.#held = true;
      return this.#become('replaced', { kind: 'replaced', reason, canClaim: this.#relayKnowsIfFree });
    }
    if (this.#askedIfFree() && reason === tunnelDownReason.legHeld) {
      return this.#become('replaced', { kind: 'taken', reason });
    }
    const hadPlace = this.#phase === 'waiting' || this.#phase === 'ready' || this.#phase === 'replaced';
    return this.#become('over', { kind: hadPlace ? 'ended' : 'refused', reason });
  }

  #receivePeerGone(reason: string): readonly BindingStep[] {
    if (this.#phase === 'ready') return this.#become('waiting', { kind: 'peer-gone', reason });
    return this.#phase === 'binding' ? this.#becomeBound('absent') : [];
  }

  #askedIfFree(): boolean {
    return this.#phase === 'binding' && this.#relayKnowsIfFree && this.#manner === 'if-free';
  }

  /** A bind is under way; a claim leaves the phase as it is. */
  #isAsking(): boolean {
    return this.#phase === 'binding' || (this.#phase === 'replaced' && this.#relayKnowsIfFree);
  }

  /** A relay that does not know `if_free` would not heed it. */
  #bindFirst(): readonly BindingStep[] {
    this.#phase = 'binding';
    return this.#bindAuthorized(this.#relayKnowsIfFree ? this.#manner : 'take');
  }

  #bindAuthorized(how: BindManner): readonly BindingStep[] {
    const { bindSecret, requireBindProof, tunnelId, direction } = this.#settings;
    if (bindSecret === null) return this.#bind({}, how);
    const token = computeBindToken(bindSecret, tunnelId, direction);
    if (this.#challenge !== undefined) {
      return this.#bind({ bind_proof: computeBindProof(token, this.#challenge, tunnelId, direction) }, how);
    }
    return requireBindProof ? this.#become('over', { kind: 'no-challenge' }) : this.#bind({ bind_token: token }, how);
  }

  #bind(authorization: { bind_token?: string; bind_proof?: string }, how: BindManner): readonly BindingStep[] {
    const { tunnelId, direction, protocol } = this.#settings;
    const bind = { type: 'tunnel_bind', tunnel_id: tunnelId, direction, protocol, ...authorization } as const;
    return [{ kind: 'send', message: how === 'if-free' ? { ...bind, if_free: true } : bind }];
  }

  #becomeBound(peer: 'absent' | 'present'): readonly BindingStep[] {
    this.#held = true;
    // A leg that waited for its peer has kept them at the relay; with a new leg the relay has none.
    if (this.#phase !== 'waiting') this.#sentTroubles = [];
    return this.#become(peer === 'present' ? 'ready' : 'waiting', { kind: 'bound', peer });
  }

  #become(phase: BindingPhase, step: BindingStep): readonly BindingStep[] {
    this.#phase = phase;
    return [step];
  }
}
