import { computeBindProof, computeBindToken } from '../../protocol/tunnel/bind-token.ts';
import type { EdgeMessage, MessageOf, RelayMessage } from '../../protocol/tunnel/control-message.ts';
import type { Direction, TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { FEATURES, PROTOCOL_VERSION } from '../../protocol/tunnel/limits.ts';
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

/**
 * `greeting`: the bind waits for the relay's challenge. `binding`: sent, no answer. `waiting`: held, the peer is away.
 * `replaced`: another connection holds the leg. `over`: the connection is of no more use and is to be closed.
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
  | { readonly kind: 'replaced'; readonly reason: string }
  /** The relay did not take the bind. Close, try again with back-off. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The token must not be shown and the relay asks for no proof. Close, try again with back-off. */
  | { readonly kind: 'no-challenge' }
  /** A bind that was held has ended. Close, bind again on a new connection. */
  | { readonly kind: 'ended'; readonly reason: string };

/** Reasons that leave the leg where it is: the peer may come back (docs/protocol/tunnel.md §2.4 and §2.6). */
const peerReasons: ReadonlySet<string> = new Set([tunnelDownReason.peerDisconnected, tunnelDownReason.peerUnbound]);

/** One tunnel's bind on one connection to a relay, from hello to the end; pure (docs/protocol/tunnel.md §2, §5, §7). */
export class Binding {
  readonly #settings: BindingSettings;
  #phase: BindingPhase = 'greeting';

  constructor(settings: BindingSettings) {
    this.#settings = settings;
  }

  get phase(): BindingPhase {
    return this.#phase;
  }

  /** The connection is there. Without a secret nothing depends on the relay's answer, so all is sent at once. */
  open(): readonly BindingStep[] {
    const { edgeId, softwareVersion, bindSecret } = this.#settings;
    const hello: MessageOf<EdgeMessage, 'hello'> = {
      type: 'hello',
      protocol_version: PROTOCOL_VERSION,
      software_version: softwareVersion,
      features: [...FEATURES],
    };
    const greeting: BindingStep[] = [
      { kind: 'send', message: hello },
      { kind: 'send', message: { type: 'identify', edge_id: edgeId } },
    ];
    return [...greeting, ...(bindSecret === null ? this.#bind({}) : [{ kind: 'await-hello-ack' } as const])];
  }

  /** No answer to hello in time: the relay is an old one. */
  helloAckOverdue(): readonly BindingStep[] {
    return this.#phase === 'greeting' ? this.#bindAuthorized(undefined) : [];
  }

  /** A message about our tunnel or the connection, from the control stream or a uni stream. */
  receive(message: RelayMessage): readonly BindingStep[] {
    if (this.#phase === 'over' || ('tunnel_id' in message && message.tunnel_id !== this.#settings.tunnelId)) return [];
    switch (message.type) {
      case 'hello_ack':
        return this.#phase === 'greeting' ? this.#bindAuthorized(message.bind_challenge) : [];
      case 'tunnel_waiting':
        return this.#phase === 'binding' ? this.#become('waiting', { kind: 'bound', peer: 'absent' }) : [];
      case 'tunnel_ready':
        return this.#receiveReady();
      case 'tunnel_down':
        return this.#receiveDown(message.reason);
      case 'pong':
        return [];
    }
  }

  #receiveReady(): readonly BindingStep[] {
    if (this.#phase === 'greeting' || this.#phase === 'ready') return [];
    return this.#become('ready', { kind: 'bound', peer: 'present' });
  }

  #receiveDown(reason: string): readonly BindingStep[] {
    if (peerReasons.has(reason)) return this.#receivePeerGone(reason);
    const held = this.#phase === 'waiting' || this.#phase === 'ready' || this.#phase === 'replaced';
    if (reason === tunnelDownReason.replaced && (held || this.#phase === 'binding')) {
      return this.#phase === 'replaced' ? [] : this.#become('replaced', { kind: 'replaced', reason });
    }
    return this.#become('over', { kind: held ? 'ended' : 'refused', reason });
  }

  #receivePeerGone(reason: string): readonly BindingStep[] {
    if (this.#phase === 'ready') return this.#become('waiting', { kind: 'peer-gone', reason });
    return this.#phase === 'binding' ? this.#become('waiting', { kind: 'bound', peer: 'absent' }) : [];
  }

  #bindAuthorized(challenge: string | undefined): readonly BindingStep[] {
    const { bindSecret, requireBindProof, tunnelId, direction } = this.#settings;
    if (bindSecret === null) return this.#bind({});
    const token = computeBindToken(bindSecret, tunnelId, direction);
    if (challenge !== undefined) {
      return this.#bind({ bind_proof: computeBindProof(token, challenge, tunnelId, direction) });
    }
    return requireBindProof ? this.#become('over', { kind: 'no-challenge' }) : this.#bind({ bind_token: token });
  }

  #bind(authorization: { bind_token?: string; bind_proof?: string }): readonly BindingStep[] {
    const { tunnelId, direction, protocol } = this.#settings;
    const message = { type: 'tunnel_bind', tunnel_id: tunnelId, direction, protocol, ...authorization } as const;
    return this.#become('binding', { kind: 'send', message });
  }

  #become(phase: BindingPhase, step: BindingStep): readonly BindingStep[] {
    this.#phase = phase;
    return [step];
  }
}
