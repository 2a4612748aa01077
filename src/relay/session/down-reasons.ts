import type { BindRefusal } from '../../protocol/tunnel/bind-refusal.ts';
import { tunnelDownReason, type TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelCloseCause } from '../events/relay-event.ts';
import type { RegistryRefusal } from '../tunnels/tunnel-registry.ts';

/** How a refusal by the policy is sent to the edge. */
export const policyReasons: Readonly<Record<BindRefusal, TunnelDownReason>> = {
  'invalid-token': tunnelDownReason.bindAuthenticationFailed,
  'proof-required': tunnelDownReason.bindAuthenticationFailed,
  'not-authorised': tunnelDownReason.notAuthorized,
  revoked: tunnelDownReason.revoked,
};

/** How a refusal by the registry is sent to the edge. */
export const registryReasons: Readonly<Record<RegistryRefusal, TunnelDownReason>> = {
  'both-legs-on-one-connection': tunnelDownReason.bothLegsOnOneConnection,
  'per-connection-cap': tunnelDownReason.perConnectionLimit,
  'tunnel-cap': tunnelDownReason.relayTunnelLimit,
  'protocol-mismatch': tunnelDownReason.protocolMismatch,
  'leg-held': tunnelDownReason.legHeld,
  'replaced-too-often': tunnelDownReason.replacedTooOften,
};

/**
 * How the end of a tunnel is sent to its edges; `drained` sends nothing, or they would sit in Down (conformance L1).
 */
export const endReasons: Readonly<Record<Exclude<TunnelCloseCause, 'drained'>, TunnelDownReason>> = {
  'closed by manager': tunnelDownReason.closedByManager,
  'deleted by REST': tunnelDownReason.deletedViaRest,
  revoked: tunnelDownReason.revoked,
  'authorisation changed': tunnelDownReason.bindAuthenticationFailed,
};
