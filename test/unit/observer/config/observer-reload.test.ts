import { describe, expect, it } from 'vitest';
import { parseObserverConfig, type ObserverConfig } from '../../../../src/observer/config/observer-config.ts';
import { planObserverReload } from '../../../../src/observer/config/observer-reload.ts';

function configOf(keys: object): ObserverConfig {
  const parsed = parseObserverConfig({ socket: 'o.sock', threshold_ms: 500, ...keys }, '/etc/adit');
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

const plainUdp = { udp_port: 0, i_accept_plaintext_udp: true };

describe('a config of an observer that is read again', () => {
  it('is in force but for what needs a restart', () => {
    const current = configOf({});
    const next = configOf({ threshold_ms: 900, socket: 'p.sock', strict_namespace_check: true, poll_interval_ms: 7 });
    const { effective, applied, needsRestart } = planObserverReload(current, next);
    expect(applied).toEqual(['threshold_ms']);
    expect(needsRestart.toSorted()).toEqual(['poll_interval_ms', 'socket', 'strict_namespace_check']);
    expect(effective).toEqual({ ...current, threshold_ms: 900 });
    // What still needs a restart is named again by the next reload.
    expect(planObserverReload(effective, next)).toMatchObject({ applied: [], needsRestart });
  });

  it('takes other keys for encrypted beats', () => {
    const [current, next] = ['a', 'b'].map((key_file) => configOf({ udp_port: 0, key_file })) as [
      ObserverConfig,
      ObserverConfig,
    ];
    expect(planObserverReload(current, next)).toMatchObject({ applied: ['key_file'], effective: next });
  });

  it('does not claim that beats are encrypted, or plain, before the socket is made anew', () => {
    const [plain, secure] = [configOf(plainUdp), configOf({ ...plainUdp, key_file: 'a' })];
    for (const [current, next] of [
      [plain, secure],
      [secure, plain],
    ] as const) {
      expect(planObserverReload(current, next)).toMatchObject({ applied: [], needsRestart: ['key_file'] });
      expect(planObserverReload(current, next).effective).toEqual(current);
    }
  });
});
