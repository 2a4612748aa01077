import { describe, expect, test } from 'vitest';
import { parseFlow } from '../../../../src/edge/config/flow-config.ts';
import { flowEventText, type FlowEvent } from '../../../../src/edge/events/flow-event.ts';
import { Flows } from '../../../../src/edge/flows/flows.ts';
import { FlowGates } from '../../../../src/edge/local/flow-gates.ts';
import type { FlowSettings } from '../../../../src/media/flow/flow-settings.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { FakeMediaHost } from '../../../support/media/fake-media-host.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const output = (id: string) => ({ id, name: id, type: 'udp', dest_addr: '127.0.0.1:5001' });

function flow(changes: object = {}): FlowSettings {
  const entry = {
    id: 'main',
    name: 'Main',
    input: { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:9000' },
    outputs: [output('a')],
  };
  const parsed = parseFlow({ ...entry, ...changes });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.flow;
}

function bed(flows: readonly FlowSettings[] = []) {
  const clock = new ManualClock();
  const events: FlowEvent[] = [];
  const hosts: FakeMediaHost[] = [];
  const edge = new Flows(
    {
      clock,
      random: new SeededRandom(),
      gates: new FlowGates(),
      startHost: (observer) => {
        const host = new FakeMediaHost(observer);
        hosts.push(host);
        return host;
      },
      raise: (event) => events.push(event),
    },
    flows,
  );
  const messages = (): string[] => events.map((event) => flowEventText(event).message);
  return { clock, events, messages, hosts, flows: edge };
}

describe('the flows of an edge', () => {
  test('start what is enabled, and say so when it runs', async () => {
    const { flows, messages, hosts } = bed([flow(), flow({ id: 'off', enabled: false })]);
    await flows.start();
    expect(messages()).toEqual(["Flow 'main' started"]);
    expect(hosts[0]?.orders).toEqual([{ kind: 'start-flow', flow: flow() }]);
    expect(flows.stats().map(({ flow_id, state, health }) => [flow_id, state, health])).toEqual([
      ['main', 'Running', 'Error'],
      ['off', 'Idle', 'Healthy'],
    ]);
  });

  test('start no worker without a flow to run', async () => {
    const { flows, hosts } = bed([flow({ enabled: false })]);
    await flows.start();
    expect(hosts).toEqual([]);
  });

  test('touch only the outputs where only outputs differ', async () => {
    const { flows, messages, hosts } = bed([flow()]);
    await flows.start();
    expect(await flows.put(flow({ outputs: [output('b')] }))).toEqual({ kind: 'applied' });
    expect(hosts[0]?.orders.slice(1).map(({ kind }) => kind)).toEqual(['remove-output', 'add-output']);
    expect(messages().slice(1)).toEqual(["Output 'a' removed from flow 'main'", "Output 'b' added to flow 'main'"]);
  });

  test('have the old outputs back when a new one cannot start', async () => {
    const { flows, messages, hosts } = bed([flow()]);
    await flows.start();
    hosts[0]?.refusals.set('add-output', 'port taken');
    expect(await flows.put(flow({ outputs: [output('b')] }))).toEqual({ kind: 'failed', error: 'port taken' });
    expect(messages().slice(1)).toEqual([
      "Output 'a' removed from flow 'main'",
      "Output 'b' failed to start on flow 'main': port taken",
      "Output 'a' added to flow 'main'",
    ]);
    expect(flows.list()).toEqual([flow()]);
  });

  test('have the old flow back when the new one cannot start', async () => {
    const { flows, messages, hosts } = bed([flow()]);
    await flows.start();
    hosts[0]?.refusals.set('start-flow', 'port taken');
    const next = flow({ input: { type: 'udp', bind_addr: '127.0.0.1:9000' } });
    expect(await flows.put(next)).toEqual({ kind: 'failed', error: 'port taken' });
    expect(messages().slice(1)).toEqual([
      "Flow 'main' stopped",
      "Flow 'main' failed to start: port taken",
      "Flow 'main' started",
    ]);
    expect(flows.list()).toEqual([flow()]);
  });

  test('are tried again when they could not start, with one event until they run', async () => {
    const { flows, messages, hosts, clock } = bed([flow({ id: 'other' }), flow()]);
    const started = flows.start();
    hosts[0]?.refusals.set('start-flow', 'port taken');
    await started;
    await flows.restart('none');
    const host = hosts[0];
    if (host === undefined) throw new Error('no host');
    host.refusals.set('start-flow', 'port taken');
    await flows.restart('main');
    await clock.advanceAsync(60_000);
    expect(messages().filter((message) => message.includes('failed'))).toEqual([
      "Flow 'main' failed to start: port taken",
    ]);
  });

  test('lose their input when the worker dies, and come back with a new worker', async () => {
    const { flows, messages, hosts, clock } = bed([flow()]);
    await flows.start();
    hosts[0]?.observer?.died('out of memory');
    expect(messages().slice(1)).toEqual(['Flow input lost: out of memory']);
    expect(flows.stats()[0]?.health).toBe('Critical');
    await clock.advanceAsync(2000);
    expect(hosts).toHaveLength(2);
    expect(messages().at(-1)).toBe("Flow 'main' started");
  });

  test('say nothing of their connections when they are stopped on purpose', async () => {
    const { flows, messages, hosts } = bed([flow()]);
    await flows.start();
    await flows.stop();
    await flows.stop();
    expect(messages()).toEqual(["Flow 'main' started", "Flow 'main' stopped"]);
    expect(hosts[0]?.stopped).toBe(true);
  });
});
