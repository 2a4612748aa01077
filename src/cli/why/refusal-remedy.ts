import { noClaim } from '../../edge/uplink/relay-dialler.ts';
import { tunnelDownReason, type TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';

const remedies: Readonly<Record<TunnelDownReason, string>> = {
  [tunnelDownReason.bindAuthenticationFailed]:
    'give the edge the tunnel_bind_secret that belongs to the authorisation on the relay (adit token compares them)',
  [tunnelDownReason.perConnectionLimit]: 'raise max_tunnels_per_connection on the relay',
  [tunnelDownReason.peerDisconnected]: 'look at the other edge',
  [tunnelDownReason.peerUnbound]: 'look at the other edge: it gave its leg up by itself',
  [tunnelDownReason.closedByManager]: 'the manager closed it; edges that are still authorised bind again',
  [tunnelDownReason.deletedViaRest]:
    'someone deleted it over the REST API; adit unrevoke with its id lets it bind again',
  [tunnelDownReason.notAuthorized]:
    "list the tunnel under tunnels in the relay's config, or let the manager authorise it",
  [tunnelDownReason.protocolMismatch]: 'give both edges the same protocol for this tunnel: one says tcp, one udp',
  [tunnelDownReason.protocolVersionTooOld]: "update that edge, or lower min_protocol_version in the relay's config",
  [tunnelDownReason.legHeld]: 'two edges have the same direction of this tunnel; stop one, or authorise the tunnel',
  [tunnelDownReason.revoked]: 'let the manager authorise it again, or run adit unrevoke with its id on the relay',
  [tunnelDownReason.bothLegsOnOneConnection]: 'give the two directions to two edges: one connection cannot hold both',
  [tunnelDownReason.replaced]:
    'two edges have the same direction of this tunnel: stop one of them, and the other has the leg within 10 s',
  [tunnelDownReason.replacedTooOften]: 'two edges take the same direction from each other; stop one of them',
  [tunnelDownReason.relayTunnelLimit]: 'raise limits.max_tunnels on the relay',
};

/** What to do about a reason that a relay gave; relays of others have reasons of their own. */
export function refusalRemedy(reason: string): string {
  if (reason.endsWith(noClaim))
    return 'two edges have the same direction of this tunnel: stop the other one, then restart this one';
  return isKnown(reason) ? remedies[reason] : "look at the relay's log at that time";
}

function isKnown(reason: string): reason is TunnelDownReason {
  return reason in remedies;
}
