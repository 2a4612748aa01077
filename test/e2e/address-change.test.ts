import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelSecrets } from '../../src/cli/tunnel-kit.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import type { TunnelProtocol } from '../../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { canStartMachines, OtherMachine } from '../support/network/other-machine.ts';
import { runAdit } from '../support/programs/adit-command.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { until } from '../support/until.ts';

const apiPort = 4480;
const loopback = '127.0.0.1';

/** A tunnel whose ingress edge runs on the other machine and feeds a device beside it, which echoes. */
class Tunnel {
  readonly secrets: TunnelSecrets = createTunnelSecrets(new SystemRandom());
  readonly protocol: TunnelProtocol;
  readonly listen: number;
  readonly device: number;

  private constructor(protocol: TunnelProtocol, listen: number, device: number) {
    this.protocol = protocol;
    this.listen = listen;
    this.device = device;
  }

  static async plan(protocol: TunnelProtocol, machine: OtherMachine): Promise<Tunnel> {
    return new Tunnel(protocol, await freePort(), await freePort(machine.here));
  }

  kit(machine: OtherMachine, relay: string, relayFingerprint: string) {
    const { protocol, listen, device } = this;
    const local = { listen: `${loopback}:${listen}`, forward: `${machine.here}:${device}` };
    const plan = { name: `to-the-${protocol}-device`, protocol, relays: [relay], relayFingerprint, ...local };
    return createTunnelKit(plan, this.secrets);
  }
}

/** A relay and an egress edge here, an ingress edge on another machine, which reaches all over one cable. */
class World {
  readonly machine = OtherMachine.start();
  readonly #folder = mkdtempSync(join(tmpdir(), 'adit-address-'));
  readonly #programs = new AsyncDisposableStack();
  readonly #quic: object;

  private constructor(engine: EngineName) {
    this.#quic = { engine };
  }

  static async start(engine: EngineName, protocols: readonly TunnelProtocol[]): Promise<[World, readonly Tunnel[]]> {
    const world = new World(engine);
    // Also when the test runs into its limit.
    onTestFinished(() => world.#stop());
    const tunnels = await Promise.all(protocols.map((protocol) => Tunnel.plan(protocol, world.machine)));
    await world.#start(tunnels);
    return [world, tunnels];
  }

  /** Asks `adit why` on the other machine until it has these words. */
  async says(words: string): Promise<void> {
    await until(async () => (await this.#why()).includes(words), { what: words });
  }

  async saysNot(words: string): Promise<void> {
    await until(async () => !(await this.#why()).includes(words), { what: `no “${words}”` });
  }

  async #why(): Promise<string> {
    const url = `http://${loopback}:${apiPort}`;
    return (await runAdit(['why', '--seconds', '0.5', '--url', url], {}, this.machine.wrapper)).out;
  }

  async #stop(): Promise<void> {
    await this.#programs.disposeAsync();
    this.machine[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }

  async #start(tunnels: readonly Tunnel[]): Promise<void> {
    const { machine } = this;
    const addresses = { quic_addrs: [`${machine.here}:0`], api_addrs: [`${loopback}:0`] };
    const authorised = tunnels.map(({ secrets }) => ({ id: secrets.id, bind_secret: secrets.bindSecret }));
    const relay = await this.#run('relay', 'relay', { ...addresses, tunnels: authorised });
    const [address] = relay['quic_addrs'] as [string];
    const kits = tunnels.map((tunnel) => tunnel.kit(machine, address, String(relay['certificate_sha256'])));
    const egress = kits.flatMap(({ egressEdge }) => egressEdge.tunnels);
    const listening = createTunnelKit(
      {
        name: 'from-its-camera',
        protocol: 'udp',
        relays: [address],
        listen: `${machine.address}:5000`,
        forward: `${loopback}:5000`,
      },
      createTunnelSecrets(new SystemRandom()),
    ).egressEdge.tunnels;
    const ingress = [...kits.flatMap(({ ingressEdge }) => ingressEdge.tunnels), ...listening];
    await this.#run('egress edge', 'edge', { tunnels: egress });
    await this.#run('ingress edge', 'edge', { api_addr: `${loopback}:${apiPort}`, tunnels: ingress }, machine.wrapper);
  }

  async #run(name: string, kind: string, config: object, wrapper: readonly string[] = []) {
    const path = join(this.#folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ quic: this.#quic, ...config }), { mode: 0o600 });
    const program = new ChildProgram(name, [kind, '-c', path], new SystemClock(), wrapper);
    this.#programs.use(program);
    return program.line(`${kind} started`);
  }
}

async function udpDevice(host: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, host);
  await once(socket, 'listening');
  return socket.on('message', (payload, from) => socket.send(payload, from.port, from.address));
}

/** Sends datagrams into the tunnel until the device's echo of one that was sent after this call comes back. */
async function echoed(port: number, timeoutMs = 60_000): Promise<void> {
  const socket = createSocket('udp4').bind(0, loopback);
  const sent = new Set<string>();
  let came = false;
  // A tunnel that is not up refuses nothing; only a program that has ended would.
  socket.on('error', () => {});
  socket.on('message', (payload) => (came ||= sent.has(payload.toString())));
  try {
    const oneMore = (): boolean => {
      const word = randomUUID();
      sent.add(word);
      socket.send(word, port, loopback);
      return came;
    };
    await until(oneMore, { timeoutMs, pollMs: 50, what: 'an echo through the tunnel' });
  } finally {
    socket.close();
  }
}

async function echoedOverTcp(port: number): Promise<boolean> {
  const socket = connect(port, loopback);
  try {
    socket.write('hello');
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(5000) })) as [Buffer];
    return answer.toString() === 'hello';
  } catch {
    // Reset while the tunnel is not up; asked again.
    return false;
  } finally {
    socket.destroy();
  }
}

const engines = await builtEngines();

describe.runIf(canStartMachines())('an edge whose machine gets another address', () => {
  describe.each(engines)('on %s', (engine) => {
    it('goes on feeding its devices and keeps its tunnels', async () => {
      const [world, [udp, tcp]] = await World.start(engine, ['udp', 'tcp']);
      if (udp === undefined || tcp === undefined) throw new Error('two tunnels');
      const device = await udpDevice(world.machine.here, udp.device);
      const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
      server.listen(tcp.device, world.machine.here);
      try {
        const first = `${world.machine.address}:5000`;
        for (let changes = 0; changes < 3; changes++) {
          await echoed(udp.listen);
          await until(() => echoedOverTcp(tcp.listen), { what: 'an echo over TCP' });
          world.machine.renumber();
          await echoed(udp.listen);
        }
        await world.says(`✗ This machine cannot listen on ${first}: it does not have this address any more`);
        await world.saysNot(`This machine has no way to ${world.machine.here}:${udp.device}`);
        device.close();
        await expect(echoed(udp.listen, 3000)).rejects.toThrow('an echo');
        await world.says(`✗ Nothing takes what arrives for ${world.machine.here}:${udp.device}: nothing listens there`);
      } finally {
        server.close();
      }
    });
  });
});
