import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPort } from '../../lib/host-port.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { freePort } from './free-port.ts';

/** One of the demo's tunnels: what enters at `local` leaves at `destination`. */
export interface DemoTunnel {
  readonly protocol: TunnelProtocol;
  readonly local: HostPort;
  readonly destination: HostPort;
}

export interface DemoWorld {
  readonly folder: string;
  readonly managerAddr: HostPort;
  readonly relayAddr: HostPort;
  readonly apiAddr: HostPort;
  /** The REST APIs of both edges. */
  readonly edgeApis: Readonly<Record<EdgeSide, HostPort>>;
  readonly tcp: DemoTunnel;
  readonly udp: DemoTunnel;
}

export type EdgeSide = 'egress' | 'ingress';

export type DemoEngine = 'auto' | 'quiche';

/** What the manager gives a new node for its config file: where to dial, and a token for once. */
export type ManagerBlock = Readonly<Record<string, unknown>>;

const observerFolder = 'observer';
const silenceMs = 1000;

/** Free loopback ports for a manager, a relay and two edges that share two tunnels. */
export async function planDemo(folder: string, host = '127.0.0.1'): Promise<DemoWorld> {
  const freeAddress = async (): Promise<HostPort> => ({ host, port: await freePort(host) });
  const tunnel = async (protocol: TunnelProtocol): Promise<DemoTunnel> => ({
    protocol,
    local: await freeAddress(),
    destination: await freeAddress(),
  });
  const [managerAddr, relayAddr, apiAddr] = [await freeAddress(), await freeAddress(), await freeAddress()];
  const edgeApis = { egress: await freeAddress(), ingress: await freeAddress() };
  return { folder, managerAddr, relayAddr, apiAddr, edgeApis, tcp: await tunnel('tcp'), udp: await tunnel('udp') };
}

/** Writes the config of a manager with an embedded database of its own. Returns its path. */
export function writeManagerConfig(world: DemoWorld): string {
  return writeConfig(world, 'manager', { listen: [formatHostPort(world.managerAddr)] });
}

/** Writes the config of an observer that knows the relay by the pid in `relayPidFile`. Returns its path. */
export function writeObserverConfig(world: DemoWorld): string {
  const config = {
    socket: 'o.sock',
    threshold_ms: silenceMs,
    labels: { 'the relay': { pidfile: relayPidFile(world) } },
    print: 'none',
  };
  return writeConfig(world, observerFolder, config);
}

export function relayPidFile(world: DemoWorld): string {
  return observerFile(world, 'relay.pid');
}

function observerFile(world: DemoWorld, name: string): string {
  return join(world.folder, observerFolder, name);
}

/** Writes the relay's config; `isWatched` lets it beat to the observer. Returns its path. */
export function writeRelayConfig(world: DemoWorld, manager: ManagerBlock, isWatched: boolean): string {
  return writeConfig(world, 'relay', {
    quic_addrs: [formatHostPort(world.relayAddr)],
    public_quic_addr: formatHostPort(world.relayAddr),
    api_addrs: [formatHostPort(world.apiAddr)],
    manager,
    ...(isWatched && { observer: { socket: observerFile(world, 'o.sock'), interval_ms: 200 } }),
  });
}

/** Writes the config of an edge that has no tunnel yet. Returns its path. */
export function writeEdgeConfig(world: DemoWorld, side: EdgeSide, manager: ManagerBlock): string {
  const api = formatHostPort(world.edgeApis[side]);
  return writeConfig(world, side, { edge_id: `demo-${side}`, api_addr: api, tunnels: [], manager });
}

/** Each program has a folder of its own, for its state and certificates. Returns the config's path. */
export function writeConfig(world: DemoWorld, name: string, config: object): string {
  const folder = join(world.folder, name);
  mkdirSync(folder);
  const path = join(folder, 'config.json');
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}
