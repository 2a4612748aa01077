import process from 'node:process';
import type { BeatKeys } from '../beats/beat-opener.ts';
import type { ObserverSettings } from '../observer-settings.ts';
import type { ObserverConfig } from './observer-config.ts';
import { acceptsRecovery } from './udp-acceptance.ts';

/** What the watch for beats needs of a config. */
export function observerSettingsOf(config: ObserverConfig, keys: BeatKeys | null): ObserverSettings {
  return {
    thresholdMs: config.threshold_ms,
    socket:
      config.socket === null
        ? null
        : {
            path: config.socket,
            mode: Number.parseInt(config.socket_mode, 8),
            receiveBufferBytes: config.uds_rcvbuf_bytes,
          },
    udp:
      config.udp_port === null
        ? null
        : { host: config.udp_bind_addr, port: config.udp_port, keys, attested: acceptsRecovery(config) },
    allowedUids: config.allowed_uids ?? [process.getuid?.() ?? 0],
    capacity: config.tracker_capacity,
    evictionPolicy: config.tracker_eviction_policy,
    evictionScanWindow: config.eviction_scan_window,
    originPolicy: config.origin_policy,
    maxBeatRate: config.max_beat_rate,
    globalBeatRate: config.global_beat_rate,
    globalBeatBurst: config.global_beat_burst,
    clockSource: config.clock_source,
    allowCrossNamespace: config.allow_cross_namespace_agents,
    pollIntervalMs: config.poll_interval_ms,
  };
}
