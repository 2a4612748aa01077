import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPort } from '../../lib/host-port.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';
import type { TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelSecrets } from '../tunnel-kit.ts';
import { freePort } from './free-port.ts';

/** One of the demo's tunnels: what enters at `local` leaves at `destination`. */
export interface DemoTunnel {
  readonly protocol: TunnelProtocol;
  readonly secrets: TunnelSecrets;
  readonly local: HostPort;
  readonly destination: HostPort;
}

export interface DemoWorld {
  readonly folder: string;
  readonly relayAddr: HostPort;
  readonly apiAddr: HostPort;
  /** The REST APIs of both edges. */
  readonly edgeApis: Readonly<Record<'egress' | 'ingress', HostPort>>;
  readonly tcp: DemoTunnel;
  readonly udp: DemoTunnel;
}

export type DemoEngine = 'auto' | 'quiche';

const observerFolder = 'observer';
const silenceMs = 1000;

/** Fresh secrets and free loopback ports for one relay and two edges that share two tunnels. */
export async function planDemo(folder: string, random: Random, host = '127.0.0.1'): Promise<DemoWorld> {
  const freeAddress = async (): Promise<HostPort> => ({ host, port: await freePort(host) });
  const tunnel = async (protocol: TunnelProtocol): Promise<DemoTunnel> => ({
    protocol,
    secrets: createTunnelSecrets(random),
    local: await freeAddress(),
    destination: await freeAddress(),
  });
  const [relayAddr, apiAddr] = [await freeAddress(), await freeAddress()];
  const edgeApis = { egress: await freeAddress(), ingress: await freeAddress() };
  return { folder, relayAddr, apiAddr, edgeApis, tcp: await tunnel('tcp'), udp: await tunnel('udp') };
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

export interface RelaySettings {
  readonly engine: DemoEngine;
  /** Whether it beats to the observer. */
  readonly isWatched: boolean;
}

/** Returns the path. */
export function writeRelayConfig(world: DemoWorld, { engine, isWatched }: RelaySettings): string {
  return writeConfig(world, 'relay', {
    quic: { engine },
    quic_addrs: [formatHostPort(world.relayAddr)],
    api_addrs: [formatHostPort(world.apiAddr)],
    tunnels: [world.tcp, world.udp].map(({ secrets }) => ({ id: secrets.id, bind_secret: secrets.bindSecret })),
    ...(isWatched && { observer: { socket: observerFile(world, 'o.sock'), interval_ms: 200 } }),
  });
}

/** Writes the configs of both edges, which trust only the relay with this certificate. Returns their paths. */
export function writeEdgeConfigs(
  world: DemoWorld,
  relayFingerprint: string,
  engine: DemoEngine,
): { egress: string; ingress: string } {
  const kits = [world.tcp, world.udp].map(({ protocol, secrets, local, destination }) => {
    const addresses = { listen: formatHostPort(local), forward: formatHostPort(destination) };
    const relays = [formatHostPort(world.relayAddr)];
    return createTunnelKit({ name: `demo-${protocol}`, protocol, relays, ...addresses, relayFingerprint }, secrets);
  });
  const edge = (name: 'egress' | 'ingress'): string => {
    const tunnels = kits.flatMap((kit) => kit[`${name}Edge`].tunnels);
    const api = formatHostPort(world.edgeApis[name]);
    return writeConfig(world, `${name}-edge`, { edge_id: `demo-${name}`, api_addr: api, quic: { engine }, tunnels });
  };
  return { egress: edge('egress'), ingress: edge('ingress') };
}

/** Each program has a folder of its own, for its state and certificates. */
function writeConfig(world: DemoWorld, name: string, config: object): string {
  const folder = join(world.folder, name);
  mkdirSync(folder);
  const path = join(folder, 'config.json');
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}
