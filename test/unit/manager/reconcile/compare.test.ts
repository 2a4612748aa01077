import { describe, expect, it } from 'vitest';
import type { PlanAction } from '../../../../src/manager/reconcile/plan-types.ts';
import { categories, kinds, leg, PlanBed, pushedLeg } from './plan-bed.ts';

const desired = {
  ...{ id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', name: 'camera', protocol: 'udp', transport: 'quic', mode: 'relay' },
  ...{ direction: 'egress', local_addr: '127.0.0.1:5000', relay_addrs: ['r:4433'] },
};
const tunnel = pushedLeg({ resourceId: desired.id, desired });

function drifts(actions: readonly PlanAction[]) {
  return actions.flatMap((action) => (action.kind === 'open-drift' ? [action.difference] : []));
}

function compared(content: unknown, legs = [tunnel]): readonly PlanAction[] {
  const bed = new PlanBed();
  bed.online(legs);
  return bed.compare(content);
}

describe('what differs', () => {
  it.each([
    ['extraneous', [], { tunnels: [desired] }, 'config_sync.drift_extraneous'],
    ['missing', [tunnel], { tunnels: [] }, 'config_sync.drift_missing'],
    ['mismatched', [tunnel], { tunnels: [{ ...desired, local_addr: '0.0.0.0:9' }] }, 'config_sync.drift_mismatched'],
  ] as const)(
    'MD1 %s is found with its category, once, and closes when it is gone',
    (kind, legs, content, category) => {
      const bed = new PlanBed();
      bed.online(legs);
      const first = bed.compare(content);
      expect(drifts(first)).toMatchObject([{ kind, resource: 'tunnel', resourceId: desired.id }]);
      expect(categories(first)).toEqual([category]);
      bed.take({ kind: 'compare-now' });
      expect(kinds(bed.take({ kind: 'config', content }))).toEqual(['compared']);
      bed.take({ kind: 'compare-now' });
      const healed = legs.length === 0 ? { tunnels: [] } : { tunnels: [desired] };
      expect(kinds(bed.take({ kind: 'config', content: healed }))).toContain('close-drift');
    },
  );

  it('MD1 names the fields, wanted and found', () => {
    const [drift] = drifts(compared({ tunnels: [{ ...desired, local_addr: '0.0.0.0:9', relay_addrs: ['other:1'] }] }));
    expect(drift?.fields).toEqual([
      { path: 'local_addr', desired: '127.0.0.1:5000', actual: '0.0.0.0:9' },
      { path: 'relay_addrs[0]', desired: 'r:4433', actual: 'other:1' },
    ]);
  });

  it('MD1 and is open already raises nothing new at a reconnect', () => {
    const content = { tunnels: [] };
    const [drift] = drifts(compared(content));
    const bed = new PlanBed();
    const open = { resource: 'tunnel', resourceId: desired.id, fingerprint: drift?.fingerprint ?? '' } as const;
    bed.online([tunnel], 'edge', [{ ...open, mutedFingerprint: null }]);
    expect(kinds(bed.compare(content))).toEqual(['compared']);
  });

  it('MD4 and is muted raises nothing until it changes', () => {
    const content = { tunnels: [{ ...desired, name: 'x' }] };
    const fingerprint = drifts(compared(content))[0]?.fingerprint ?? '';
    const bed = new PlanBed();
    const muted = {
      resource: 'tunnel',
      resourceId: desired.id,
      fingerprint: 'old',
      mutedFingerprint: fingerprint,
    } as const;
    bed.online([tunnel], 'edge', [muted]);
    expect(categories(bed.compare(content))).toEqual([]);
    bed.take({ kind: 'compare-now' });
    const changed = bed.take({ kind: 'config', content: { tunnels: [{ ...desired, name: 'y' }] } });
    expect(categories(changed)).toEqual(['config_sync.drift_mismatched']);
  });
});

describe('no difference', () => {
  it.each([
    ['secrets', { ...desired, tunnel_encryption_key: 'x', tunnel_bind_secret: '***REDACTED***' }],
    ['masked values', { ...desired, name: '***REDACTED***' }],
    ['defaults left out', { ...desired, transport: undefined, mode: null }],
    ['another order of keys', Object.fromEntries(Object.entries(desired).toReversed())],
    ['relay_addr for a list of one', { ...desired, relay_addrs: undefined, relay_addr: 'r:4433' }],
    ['the id in capitals', { ...desired, id: desired.id.toUpperCase() }],
    ['enabled', { ...desired, enabled: false }],
    ['keys that the manager does not know', { ...desired, colour: 'red' }],
  ])('MD2 are %s', (_what, entry) => {
    expect(drifts(compared(JSON.parse(JSON.stringify({ tunnels: [entry] }))))).toEqual([]);
  });

  it('MD2 in flows is what the manager did not set', () => {
    const flow = pushedLeg({
      resource: 'flow',
      role: 'flow',
      resourceId: 'f',
      desired: { id: 'f', input: { port: 1 } },
    });
    expect(drifts(compared({ flows: [{ id: 'f', input: { port: 1, extra: 2 }, more: [] }] }, [flow]))).toEqual([]);
    expect(drifts(compared({ flows: [{ id: 'f', input: { port: 2 } }] }, [flow]))).toMatchObject([
      { fields: [{ path: 'input.port', desired: 1, actual: 2 }] },
    ]);
  });
});

describe('secrets within what differs', () => {
  const secret = 'canary-passphrase';
  const flow = (outputs: unknown) => ({ id: 'f', input: { type: 'srt', passphrase: secret }, outputs });

  it('are masked where a list has another length, or an object is not there', () => {
    const desired = flow([{ id: 'o', passphrase: secret }]);
    const wanted = pushedLeg({ resource: 'flow', role: 'flow', resourceId: 'f', desired });
    const actions = compared({ flows: [{ id: 'f', outputs: [] }] }, [wanted]);
    expect(drifts(actions)).toMatchObject([{ kind: 'mismatched', fields: [{ path: 'input' }, { path: 'outputs' }] }]);
    expect(JSON.stringify(actions)).not.toContain(secret);
  });

  it('are masked in what the manager does not know, at any depth', () => {
    const actions = compared({ flows: [flow([{ passphrase: secret }])] }, []);
    expect(drifts(actions)).toMatchObject([{ kind: 'extraneous' }]);
    expect(JSON.stringify(actions)).not.toContain(secret);
  });
});

describe('a difference', () => {
  it('MD3 causes no push, however long it lasts', () => {
    const bed = new PlanBed();
    bed.online([tunnel]);
    bed.compare({ tunnels: [] });
    bed.wait(3_600_000);
    expect(bed.pushes()).toEqual([]);
    expect(bed.statuses).toEqual(['pushed']);
  });

  it('MD3 is not looked for in what was pushed while the config was on its way', () => {
    const bed = new PlanBed();
    bed.online([]);
    bed.wait(5_000);
    bed.take({ kind: 'leg-changed', leg: leg({ resourceId: desired.id, desired }) });
    bed.ack();
    expect(drifts(bed.take({ kind: 'config', content: { tunnels: [] } }))).toEqual([]);
  });
});

describe('a config', () => {
  it.each([
    ['no object', 7],
    ['null', null],
    ['of wrong types', { tunnels: 'many' }],
  ])('MD5 that is %s opens no drift and is asked for again in 30 s', (_what, content) => {
    const bed = new PlanBed();
    bed.online([tunnel]);
    const actions = bed.compare(content);
    expect(kinds(actions)).toEqual(['unreadable-config']);
    expect(kinds(bed.wait(29_000))).not.toContain('fetch-config');
    expect(kinds(bed.wait(2_000))).toContain('fetch-config');
  });

  it('MD5 that does not come opens no drift', () => {
    const bed = new PlanBed();
    bed.online([tunnel]);
    bed.wait(5_000);
    expect(kinds(bed.take({ kind: 'fetch-failed' }))).toEqual([]);
    expect(kinds(bed.wait(31_000))).toContain('fetch-config');
  });
});
