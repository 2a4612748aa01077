import { changedKeys } from '../../config/changed-keys.ts';
import type { ReloadOutcome } from '../../config/config-reload.ts';
import type { RelayConfig } from './relay-config.ts';

export interface ReloadPlan extends ReloadOutcome {
  /** The config in force once `applied` is. */
  readonly effective: RelayConfig;
}

const reloadableLimits = [
  'max_connections',
  'accept_rate_per_ip_per_sec',
  'accept_burst_per_ip',
  'cap_refusals_per_sec',
  'always_retry',
] as const satisfies readonly (keyof RelayConfig['limits'])[];

const reloadable: ReadonlySet<string> = new Set([
  ...['tunnels', 'log_level', 'tls_cert_path', 'tls_key_path', 'max_connections_per_ip', 'manager.cert_fingerprint'],
  ...reloadableLimits.map((key) => `limits.${key}`),
]);

/** The relay writes these itself, when its manager gives it an identity. */
const ownKeys: ReadonlySet<string> = new Set([
  'manager.node_id',
  'manager.node_secret',
  'manager.previous_node_secrets',
  'manager.registration_token',
]);

/** What of a config that was read again takes effect now, and what needs a restart. */
export function planReload(current: RelayConfig, next: RelayConfig): ReloadPlan {
  const changed = changedKeys(current, next).filter((key) => !ownKeys.has(key));
  // The link to a manager that is gone from the file runs until a restart, and so do its pins.
  const pinsOf = current.manager.enabled && !next.manager.enabled ? current : next;
  const takesEffect = (key: string): boolean =>
    reloadable.has(key) && (key !== 'manager.cert_fingerprint' || pinsOf === next);
  const limits = Object.fromEntries(reloadableLimits.map((key) => [key, next.limits[key]]));
  return {
    applied: changed.filter(takesEffect),
    needsRestart: changed.filter((key) => !takesEffect(key)),
    effective: {
      ...current,
      tunnels: next.tunnels,
      log_level: next.log_level,
      tls_cert_path: next.tls_cert_path,
      tls_key_path: next.tls_key_path,
      max_connections_per_ip: next.max_connections_per_ip,
      limits: { ...current.limits, ...limits },
      // For `get_config`, which returns the current identity.
      manager: {
        ...current.manager,
        cert_fingerprint: pinsOf.manager.cert_fingerprint,
        node_id: next.manager.node_id,
        node_secret: next.manager.node_secret,
      },
    },
  };
}
