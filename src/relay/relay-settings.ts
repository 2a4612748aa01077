import { parseSocketAddress } from '../lib/socket-address.ts';
import { AppError } from '../lib/app-error.ts';
import { ALPN } from '../protocol/tunnel/limits.ts';
import type { TransportSettings } from '../quic/transport-settings.ts';
import type { SocketAddress } from '../quic/types.ts';
import type { AdmissionSettings } from './reception/admission.ts';
import type { RelayConfig } from './config/relay-config.ts';
import type { EventLimitSettings } from './events/event-limits.ts';
import type { ForwarderSettings } from './forwarding/forwarder.ts';
import type { SessionRunnerSettings } from './session/session-runner.ts';
import type { SwitchboardSettings } from './session/switchboard.ts';
import type { BindPolicySettings, StaticTunnel } from './tunnels/bind-policy.ts';
import type { RegistrySettings } from './tunnels/tunnel-registry.ts';

/** The one place where keys of the config become the settings of the parts. */
export function transportSettings({ quic, limits }: RelayConfig): TransportSettings {
  return {
    alpn: ALPN,
    idleTimeoutMs: quic.idle_timeout_secs * 1000,
    keepAliveMs: quic.keep_alive_secs * 1000,
    handshakeTimeoutMs: limits.handshake_timeout_secs * 1000,
    maxUdpPayload: quic.max_udp_payload,
    maxBidiStreams: limits.max_bidi_streams,
    maxUniStreams: limits.max_uni_streams,
    streamWindowBytes: limits.stream_window_bytes,
    connectionWindowBytes: limits.connection_window_bytes,
    datagramQueueBytes: limits.datagram_queue_bytes,
    datagramQueueMs: limits.datagram_queue_ms,
    unprovenBytes: limits.unproven_bytes,
    uselessBytes: limits.useless_bytes,
    localDatagrams: false,
    socketBufferBytes: limits.socket_buffer_bytes,
  };
}

export function admissionSettings(config: RelayConfig): AdmissionSettings {
  const { limits } = config;
  return {
    maxConnections: limits.max_connections,
    maxConnectionsPerIp: config.max_connections_per_ip,
    acceptRatePerIpPerSec: limits.accept_rate_per_ip_per_sec,
    acceptBurstPerIp: limits.accept_burst_per_ip,
    capRefusalsPerSec: limits.cap_refusals_per_sec,
    alwaysRetry: limits.always_retry,
  };
}

export function policySettings(config: RelayConfig): BindPolicySettings {
  return {
    requireBindAuth: config.require_bind_auth,
    requireBindProof: config.require_bind_proof,
    maxAuthorizations: config.limits.max_authorizations,
  };
}

export function registrySettings({ limits, max_tunnels_per_connection: perConnection }: RelayConfig): RegistrySettings {
  return {
    maxTunnels: limits.max_tunnels,
    maxTunnelsPerConnection: perConnection,
    maxReplacements: limits.max_replacements,
    windowMs: limits.replacement_window_secs * 1000,
  };
}

export function switchboardSettings({
  quic,
  max_tunnels_per_connection: perConnection,
}: RelayConfig): SwitchboardSettings {
  return { maxTunnelsPerConnection: perConnection, aliveMs: quic.keep_alive_secs * 2000 };
}

export function sessionSettings(config: RelayConfig, softwareVersion: string): SessionRunnerSettings {
  const { limits } = config;
  return {
    softwareVersion,
    minProtocolVersion: config.min_protocol_version,
    holdWaitingEdges: config.hold_waiting_edges,
    controlStreamTimeoutMs: limits.control_stream_timeout_secs * 1000,
    firstBindTimeoutMs: limits.first_bind_timeout_secs * 1000,
    maxFrameBytes: limits.max_unbound_frame_bytes,
    maxQueuedBytes: limits.control_queue_bytes,
  };
}

export function forwarderSettings({ limits }: RelayConfig): ForwarderSettings {
  return {
    streamHeaderTimeoutMs: limits.stream_header_timeout_secs * 1000,
    maxOpenStreams: limits.max_open_streams,
  };
}

export function eventLimitSettings({ limits }: RelayConfig): EventLimitSettings {
  return {
    maxLimited: limits.rejection_events_per_min,
    maxUnauthenticated: limits.stranger_events_per_min,
    windowMs: 60_000,
    maxSources: limits.max_event_sources,
  };
}

export function staticTunnels({ tunnels }: RelayConfig): StaticTunnel[] {
  return tunnels.map(({ id, name, bind_secret: bindSecret }) => ({ id, name, bindSecret }));
}

export function quicAddresses(config: RelayConfig): SocketAddress[] {
  return config.quic_addrs.map((text) => {
    const address = parseSocketAddress(text);
    if (address === null) throw new AppError('bug', `the config let ${text} through`);
    return address;
  });
}
