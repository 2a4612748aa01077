import { describe, expect, it } from 'vitest';
import { parseFlow } from '../../../src/edge/config/flow-config.ts';
import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { portOf, startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { until } from '../../support/until.ts';

const passphrase = 'a secret of both';
/** A latency in which a busy machine, too, repairs what the path loses. */
const srt = { type: 'srt', latency_ms: 600, passphrase, payload_size: 1128, tunnel: 'between the sites' };
const tunnel = { protocol: 'udp', name: 'between the sites', local_addr: 'flow' } as const;

async function inputPort({ edge }: TestEdge, id: string): Promise<number> {
  const stats = await until(() => edge.flows.stats().find((flow) => flow.flow_id === id && flow.input !== null));
  return Number(stats.input?.local_addr?.split(':').at(-1));
}

describe.each(await builtEngines())('a flow through a tunnel over %s', (engineName) => {
  it('arrives at the other site whole, without a local port, over a path that loses packets', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    const target = { ip: '127.0.0.1', port: portOf(relay) };
    // The portable engine's controller gives way at more than that (docs/quiche.md §7).
    const lossRate = engineName === 'native' ? 0.02 : 0.005;
    await using network = await FaultyNetwork.start({ target, faults: { lossRate, delayMs: 5 } });
    await using sink = await LocalUdpSocket.open();
    await using camera = await startCamera(engine, `127.0.0.1:${network.address.port}`, srt);
    await using studio = await startStudio(engine, relay.address, sink, srt);
    await until(() => studio.messages().includes('SRT input connected (mode=listener)'));
    await until(() => camera.messages().includes("SRT output 'studio' connected"));
    using source = new TsSource({ port: await inputPort(camera, 'camera') });
    source.follow(sink);
    await until(() => sink.received.length >= 1000);
    source.pause();
    // SRT repairs a loss once a later packet has come, so the last ones of a stream that ends are not counted.
    const numbers = numbersIn(sink.received);
    expect(numbers[0]).toBe(0);
    expect(gapsIn(numbers)).toEqual([]);
  });

  it('ends with its cause in the events when the tunnel goes, and comes back by itself with it', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using sink = await LocalUdpSocket.open();
    const impatient = { ...srt, peer_idle_timeout_secs: 1 };
    await using camera = await startCamera(engine, relay.address, impatient);
    await using studio = await startStudio(engine, relay.address, sink, impatient);
    await until(() => camera.messages().includes("SRT output 'studio' connected"));
    const [settings] = camera.edge.tunnels();
    if (settings === undefined) throw new Error('the edge has lost its tunnel');
    await camera.edge.putTunnel({ ...settings, enabled: false });
    await until(() => studio.messages().includes('SRT input disconnected, reconnecting'));
    await until(() => camera.messages().includes("SRT output 'studio' disconnected"));
    await camera.edge.putTunnel(settings);
    const again = (): number =>
      studio.messages().filter((message) => message === 'SRT input connected (mode=listener)').length;
    await until(() => again() >= 2);
    using source = new TsSource({ port: await inputPort(camera, 'camera') });
    source.follow(sink);
    await until(() => sink.received.length >= 50);
    source.pause();
    expect(gapsIn(numbersIn(sink.received))).toEqual([]);
  });

  it('is refused where its tunnel is not there', async () => {
    await using engine = await openEngine(engineName);
    await using edge = await startTestEdge({ engine, tunnels: [] });
    const parsed = parseFlow({ id: 'main', name: 'Main', input: { mode: 'listener', ...srt } });
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    const error = "there is no tunnel 'between the sites' that carries UDP";
    expect(await edge.edge.flows.put(parsed.flow)).toEqual({ kind: 'failed', error });
    expect(edge.messages()).toEqual([`Flow 'main' failed to start: ${error}`]);
  });
});

/** The edge that takes a stream by UDP and sends it as SRT into the tunnel. */
function startCamera(
  engine: EdgeEngine,
  relayAddress: string,
  srtOutput: Readonly<Record<string, unknown>>,
): Promise<TestEdge> {
  return startTestEdge({
    engine,
    tunnels: [{ ...tunnel, direction: 'egress', relay_addr: relayAddress }],
    flows: [
      {
        id: 'camera',
        name: 'Camera',
        input: { type: 'udp', bind_addr: '127.0.0.1:0' },
        outputs: [{ id: 'studio', name: 'Studio', mode: 'caller', ...srtOutput }],
      },
    ],
  });
}

/** The edge that takes SRT out of the tunnel and sends the stream to the sink. */
function startStudio(
  engine: EdgeEngine,
  relayAddress: string,
  sink: LocalUdpSocket,
  srtInput: Readonly<Record<string, unknown>>,
): Promise<TestEdge> {
  return startTestEdge({
    engine,
    tunnels: [{ ...tunnel, direction: 'ingress', relay_addr: relayAddress }],
    flows: [
      {
        id: 'studio',
        name: 'Studio',
        input: { mode: 'listener', ...srtInput },
        outputs: [{ id: 'screen', name: 'Screen', type: 'udp', dest_addr: sink.addr }],
      },
    ],
  });
}
