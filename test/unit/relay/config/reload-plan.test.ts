import { describe, expect, it } from 'vitest';
import { parseRelayConfig, type RelayConfig } from '../../../../src/relay/config/relay-config.ts';
import { planReload } from '../../../../src/relay/config/reload-plan.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

function configOf(content: object): RelayConfig {
  const parsed = parseRelayConfig(content, '/etc/adit');
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

const tunnels = [{ id: tunnelNumber(1), bind_secret: 'ab'.repeat(32) }];

describe('the plan of a reload', () => {
  it('takes limits, tunnels, certificates and the log level at once', () => {
    const next = configOf({
      tunnels,
      log_level: 'debug',
      tls_cert_path: 'relay.crt',
      tls_key_path: 'relay.key',
      max_connections_per_ip: 5,
      limits: { max_connections: 7, always_retry: true },
      manager: { cert_fingerprint: ['ab'.repeat(32), 'cd'.repeat(32)] },
    });
    const { applied, needsRestart, effective } = planReload(configOf({}), next);
    expect(applied.toSorted()).toEqual([
      'limits.always_retry',
      'limits.max_connections',
      'log_level',
      'manager.cert_fingerprint',
      'max_connections_per_ip',
      'tls_cert_path',
      'tls_key_path',
      'tunnels',
    ]);
    expect(needsRestart).toEqual([]);
    expect(effective).toEqual(next);
  });

  it('leaves the rest as it was, and reports that it needs a restart', () => {
    const current = configOf({});
    const next = configOf({
      quic_addrs: ['0.0.0.0:5000'],
      require_bind_auth: false,
      limits: { max_tunnels: 9 },
      quic: { idle_timeout_secs: 60 },
    });
    const { applied, needsRestart, effective } = planReload(current, next);
    expect(applied).toEqual([]);
    expect(needsRestart.toSorted()).toEqual([
      'limits.max_tunnels',
      'quic.idle_timeout_secs',
      'quic_addrs',
      'require_bind_auth',
    ]);
    expect(effective).toEqual(current);
  });

  it('keeps the pins of a manager that is gone from the file, since its link runs until a restart', () => {
    const manager = { enabled: true, urls: ['wss://m:8443/ws/node'], cert_fingerprint: 'ab'.repeat(32) };
    const { applied, needsRestart, effective } = planReload(configOf({ manager }), configOf({}));
    expect(applied).toEqual([]);
    expect(needsRestart).toContain('manager.enabled');
    expect(effective.manager.cert_fingerprint).toBe('ab'.repeat(32));
  });

  it('is silent about the identity that a manager gave the relay', () => {
    const manager = { enabled: true, urls: ['wss://m:8443/ws/node'] };
    const current = configOf({ manager: { ...manager, registration_token: 'tok' } });
    const next = configOf({ manager: { ...manager, node_id: 'n-1', node_secret: 's' } });
    const plan = planReload(current, next);
    expect([plan.applied, plan.needsRestart]).toEqual([[], []]);
    expect(plan.effective.manager.node_id).toBe('n-1');
  });
});
