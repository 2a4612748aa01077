import { changedKeys } from '../../config/changed-keys.ts';
import type { ReloadOutcome } from '../../config/config-reload.ts';
import type { ObserverConfig } from './observer-config.ts';
import { usesSecureUdp } from './udp-acceptance.ts';

/** Sockets, and what is set once for the process. Anything else takes effect at once. */
const needsRestart = new Set([
  ...['socket', 'socket_mode', 'uds_rcvbuf_bytes', 'udp_port', 'udp_bind_addr', 'clock_source', 'poll_interval_ms'],
  ...['i_accept_plaintext_udp', 'i_accept_secure_udp_non_loopback', 'prom_addr', 'prom_token_file'],
  ...['prom_rate_limit_per_sec', 'prom_rate_limit_burst', 'api_addr', 'api_token', 'self_watchdog_secs'],
  ...['shutdown_after_secs', 'state_dir', 'credentials_path', 'strict_namespace_check'],
  ...['secure_udp_i_accept_recovery_on_unauthenticated_transport'],
  ...['plaintext_udp_i_accept_recovery_on_unauthenticated_transport'],
]);
const keyFiles = new Set(['key_file', 'accepted_key_file', 'master_key_file']);
/** The observer writes these itself. */
const ownKeys = /^manager\.(node_id|node_secret|previous_node_secrets|registration_token)$/;

export interface ObserverReloadPlan extends ReloadOutcome {
  /** The config in force once `applied` is. */
  readonly effective: ObserverConfig;
}

/** What of a config that was read again takes effect now, and what needs a restart. */
export function planObserverReload(current: ObserverConfig, next: ObserverConfig): ObserverReloadPlan {
  const changed = changedKeys(current, next).filter((key) => !ownKeys.test(key));
  // Whether beats over UDP are encrypted is decided with the socket.
  const staysSecure = usesSecureUdp(current) === usesSecureUdp(next);
  const isFixed = (key: string): boolean =>
    needsRestart.has(key) || /^manager(\.|$)/.test(key) || (!staysSecure && keyFiles.has(key));
  const fixed = Object.entries(current).filter(([key]) => isFixed(key));
  return {
    applied: changed.filter((key) => !isFixed(key)),
    needsRestart: changed.filter(isFixed),
    effective: { ...next, ...Object.fromEntries(fixed) },
  };
}
