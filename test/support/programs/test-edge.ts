import { parseEdgeConfig } from '../../../src/edge/config/edge-config.ts';
import { logEvents } from '../../../src/admin/event-hub.ts';
import { subjectOf } from '../../../src/edge/events/edge-event.ts';
import { createEdge, type Edge } from '../../../src/edge/edge.ts';
import { wayOut } from '../../../src/edge/uplink/way-out.ts';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import type { EdgeTunnelInfo, EdgeTunnelState } from '../../../src/protocol/node/edge-telemetry.ts';
import type { NodeEvent } from '../../../src/protocol/node/node-event.ts';
import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { until } from '../until.ts';
import { bindVector, sealVector, vectorTunnel } from '../samples/vectors.ts';
import { startMediaHost } from '../../../src/media/flow/media-host.ts';

/** A tunnel entry of edge.json that `startTestEdge` fills up. */
export type TestTunnel = Readonly<Record<string, unknown>> & {
  readonly protocol: 'tcp' | 'udp';
  readonly direction: 'ingress' | 'egress';
};

export interface TestEdgeOptions {
  /** As in edge.json. */
  readonly flows?: readonly object[];
  readonly engine: EdgeEngine;
  /** Defaults: the vectors' id, secret and key; an egress listens on a free loopback port. */
  readonly tunnels: readonly TestTunnel[];
  readonly edgeId?: string;
  readonly clock?: Clock;
  readonly quic?: Readonly<Record<string, unknown>>;
  readonly requireBindProof?: boolean;
  /** Further keys of edge.json. */
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly resolveHost?: (host: string) => Promise<readonly string[]>;
  readonly readTextFile?: (path: string) => Promise<string>;
}

/** A running edge of this program, made through its config as the command line makes it. */
export class TestEdge implements AsyncDisposable {
  readonly edge: Edge;
  readonly events: NodeEvent[];
  readonly log: RecordingLogger;

  constructor(edge: Edge, events: NodeEvent[], log: RecordingLogger) {
    this.edge = edge;
    this.events = events;
    this.log = log;
  }

  /** The only tunnel, or the one at `index`, as the manager sees it. */
  tunnel(index = 0): EdgeTunnelInfo {
    const info = this.edge.stats().tunnels[index];
    if (info === undefined) throw new Error(`the edge has no tunnel ${index}`);
    return info;
  }

  /** The port where an egress tunnel listens. */
  port(index = 0): number {
    return Number(this.tunnel(index).local_addr.split(':').at(-1));
  }

  async reaches(state: EdgeTunnelState, index = 0): Promise<void> {
    await until(() => this.tunnel(index).state === state, { what: `tunnel ${index} ${state}` });
  }

  messages(): string[] {
    return this.events.map(({ message }) => message);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.edge.stop();
  }
}

export async function startTestEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const events: NodeEvent[] = [];
  const log = new RecordingLogger();
  const tunnels = options.tunnels.map((tunnel) => ({
    id: vectorTunnel.id,
    name: 'test tunnel',
    local_addr: '127.0.0.1:0',
    tunnel_encryption_key: sealVector.keyHex,
    tunnel_bind_secret: bindVector.secret,
    ...tunnel,
  }));
  const parsed = parseEdgeConfig(
    {
      edge_id: options.edgeId ?? 'test-edge',
      tunnels,
      flows: options.flows ?? [],
      quic: options.quic ?? {},
      require_bind_proof: options.requireBindProof ?? false,
      ...options.keys,
    },
    { directory: '/nowhere', hostname: 'test-host' },
  );
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  const edge = createEdge(parsed.config, {
    engine: options.engine,
    clock: options.clock ?? new SystemClock(),
    random: new SystemRandom(),
    logger: log,
    resolveHost: options.resolveHost ?? (() => Promise.resolve(['127.0.0.1'])),
    wayOut: (remote) => wayOut(remote, new SystemClock()),
    readTextFile: options.readTextFile ?? (() => Promise.reject(new Error('no such file'))),
    softwareVersion: '0.0.0-test',
    startMediaHost,
  });
  edge.events.subscribe(logEvents(log, subjectOf));
  edge.events.subscribe(({ report }) => events.push(report));
  await edge.start();
  return new TestEdge(edge, events, log);
}
