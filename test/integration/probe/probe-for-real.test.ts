import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { createTunnelKit, createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { formatSocketAddress, parseSocketAddress } from '../../../src/lib/socket-address.ts';
import { failureCode } from '../../support/failure-code.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { payloadOfMtu, type Faults } from '../../support/network/faulty-path.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ScriptedRelay } from '../../support/peers/scripted-relay.ts';
import { builtEngines, startEngine } from '../../support/programs/engines.ts';
import { runRelay, type RunningProgram } from '../../support/programs/running-programs.ts';

type Relay = Awaited<ReturnType<typeof runRelay>>;

interface Printed {
  readonly text: string;
  readonly status: number;
}

async function probe(...args: string[]): Promise<Printed> {
  let [text, status] = ['', 0];
  const terminal = { out: (part: string) => void (text += part), exitWith: (code: number) => void (status = code) };
  const program = await createProgram(terminal, ['probe', ...args]);
  await program.parseAsync(['node', 'adit', 'probe', '--seconds', '1', ...args]);
  return { text, status };
}

function addressOf(relay: RunningProgram & Pick<Relay, 'quicAddresses'>): string {
  const [address] = relay.quicAddresses;
  if (address === undefined) throw new Error('the relay has no address');
  return address;
}

/** A relay behind a network that does this to packets. */
async function behind(faults: Partial<Faults>): Promise<{ relay: Relay; network: FaultyNetwork } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const relay = starting.use(await runRelay({}));
  const target = parseSocketAddress(addressOf(relay));
  if (target === null) throw new Error('no address');
  const network = starting.use(await FaultyNetwork.start({ target, faults }));
  const running = starting.move();
  return { relay, network, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** A port at which nothing listens. */
async function closedPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => void socket.close(() => resolve()));
  return port;
}

describe.each(await builtEngines())('adit probe over %s', (engine) => {
  const from = (network: FaultyNetwork): string[] => [formatSocketAddress(network.address), '--engine', engine];

  it('is content with a relay that works, and shows what an edge would pin', async () => {
    await using relay = await runRelay({});
    const { text, status } = await probe(addressOf(relay), '--engine', engine);
    expect(text).toMatch(/✓ UDP gets there and back: 100 of 100 packets were answered\./);
    expect(text).toContain('✓ It is a relay, version 0.0.0-test, protocol 2, with peer_state, bind_proof,');
    expect(text).toContain(`✓ Its certificate has SHA-256 ${relay.certificateFingerprint} (CN=relay)`);
    expect(text).toMatch(/✓ A round trip takes [\d.]+ ms \(least/);
    expect(text).toMatch(/✓ Datagrams of up to 13\d\d bytes fit \(path MTU 1452 bytes of UDP\); 1332 are wanted\./);
    expect(text).not.toContain('✗');
    expect(status).toBe(0);
  });

  it('measures the round trip and the share that is lost', async () => {
    await using world = await behind({ delayMs: 40, lossRate: 0.1 });
    const { text, status } = await probe(...from(world.network));
    expect(text).toMatch(
      /✗ \d+ % of 100 packets or of their answers were lost\.\n {2}→ look at the network here first/,
    );
    const share = Number(/✗ (\d+) %/.exec(text)?.[1]);
    // Both ways together lose 19 %; four standard deviations of 100 packets.
    expect(share).toBeGreaterThan(4);
    expect(share).toBeLessThan(35);
    const roundTrip = Number(/A round trip takes ([\d.]+) ms/.exec(text)?.[1]);
    expect(roundTrip).toBeGreaterThan(80);
    expect(roundTrip).toBeLessThan(200);
    expect(status).toBe(3);
  });

  it('reports how large a datagram may be on a narrow path, and what to set in SRT', async () => {
    await using world = await behind({ largestPayload: payloadOfMtu(1280) });
    const { text, status } = await probe(...from(world.network), '--seconds', '5');
    const [, payload = '', advised = ''] =
      /✗ Datagrams of up to (\d+) bytes fit .*, and 1332 are wanted: [^]*\(payloadsize\) of at most (\d+)/.exec(text) ??
      [];
    expect(Number(payload)).toBeGreaterThan(1100);
    expect(Number(payload)).toBeLessThanOrEqual(payloadOfMtu(1280) - 44);
    expect(Number(advised) % 188).toBe(0);
    expect(Number(advised) + 16).toBeLessThanOrEqual(Number(payload));
    expect(status).toBe(3);
    expect((await probe(...from(world.network), '--payload', '900')).status).toBe(0);
  });

  it('reports that the system refuses to send there', async () => {
    // Of an address that a socket may not be connected to, as of a network without a route.
    const { text, status } = await probe('255.255.255.255:4433', '--engine', engine);
    expect(text).toContain('✗ There is no way to UDP port 4433 of 255.255.255.255 from here (EACCES).\n  → ');
    expect(status).toBe(3);
  });

  it('reports that nothing comes back where a firewall swallows UDP', async () => {
    await using world = await behind({ partitioned: true });
    const { text, status } = await probe(...from(world.network));
    expect(text).toMatch(
      /✗ Nothing comes back from UDP port \d+ of 127\.0\.0\.1: .*\.\n {2}→ let UDP through both ways/,
    );
    expect(status).toBe(3);
  });

  it('takes the pinned certificate and no other, and shows the one that is there', async () => {
    await using relay = await runRelay({});
    const { certificateFingerprint: sha256, keyPin } = relay;
    const right = await probe(addressOf(relay), '--engine', engine, '--pin', sha256);
    const shown = `✓ Its certificate has SHA-256 ${sha256} (CN=relay), and its key is ${keyPin}; the pin fits.`;
    expect(right.text).toContain(shown);
    expect(right.status).toBe(0);
    const byKey = await probe(addressOf(relay), '--engine', engine, '--pin', keyPin);
    expect(byKey.text).toContain(shown);
    const wrong = await probe(addressOf(relay), '--engine', engine, '--pin', 'ab'.repeat(32));
    expect(wrong.text).toContain(
      `✗ The relay did not prove that it is the one that was expected: its certificate has SHA-256 ${sha256}.`,
    );
    // The rest is looked at all the same.
    expect(wrong.text).toContain('✓ A round trip takes');
    expect(wrong.status).toBe(3);
  });

  it('takes a relay that says nothing of itself for an old one', async () => {
    const relayEngine = await startEngine(engine);
    try {
      const relay = await ScriptedRelay.start({ engine: relayEngine });
      const { text } = await probe(relay.addr, '--engine', engine);
      expect(text).toContain('and does not say its version: an old relay.');
      expect(text).toContain('· The relay did not answer a ping');
    } finally {
      await relayEngine.close();
    }
  });
});

describe('adit probe', () => {
  it.runIf(process.platform === 'linux')('distinguishes a closed port from a filtered one', async () => {
    const { text, status } = await probe(`127.0.0.1:${await closedPort()}`);
    expect(text).toMatch(/✗ UDP port \d+ of 127\.0\.0\.1 is closed: that machine says that nothing listens there\./);
    expect(status).toBe(3);
  });

  it('notices that another program has the port', async () => {
    await using other = await LocalUdpSocket.open();
    using _answering = new SystemClock().setInterval(() => {
      if (other.lastSender !== null) other.reply(Buffer.from('hello'));
    }, 20);
    const { text, status } = await probe(other.addr);
    expect(text).toMatch(/✗ Something answers at UDP port \d+ of 127\.0\.0\.1 that is no QUIC server\./);
    expect(status).toBe(3);
  });

  it('reports that a name does not resolve', async () => {
    const { text, status } = await probe('relay.invalid:4433');
    expect(text).toMatch(
      /^relay relay\.invalid:4433\n✗ relay\.invalid does not resolve: .*\.\n {2}→ check how the name/,
    );
    expect(status).toBe(3);
  });

  it('probes the relays of an edge, each with its own pin', async () => {
    await using relay = await runRelay({});
    const folder = await mkdtemp(join(tmpdir(), 'adit-probe-'));
    const relays = [addressOf(relay), `127.0.0.1:${await closedPort()}`];
    const plan = { name: 'camera-1', protocol: 'udp', relays, relayFingerprint: relay.certificateFingerprint } as const;
    const local = { listen: '127.0.0.1:5000', forward: '127.0.0.1:5001' };
    const kit = createTunnelKit({ ...plan, ...local }, createTunnelSecrets(new SystemRandom()));
    const file = join(folder, 'edge.json');
    await writeFile(file, JSON.stringify(kit.egressEdge));
    const { text, status } = await probe('--config', file);
    await rm(folder, { recursive: true });
    expect(text).toContain('the pin fits.');
    expect(text.split('\n\n')).toHaveLength(2);
    expect(status).toBe(3);
  });

  it('prints what was measured as JSON', async () => {
    await using relay = await runRelay({});
    const { text } = await probe(addressOf(relay), '--json');
    expect(JSON.parse(text)).toMatchObject([
      {
        relay: addressOf(relay),
        dns: { kind: 'literal' },
        addresses: [
          {
            address: addressOf(relay),
            udp: { kind: 'answered', sent: 100, answered: 100 },
            connection: { failure: null, relay: { version: '0.0.0-test', protocol: 2 } },
            certificate: { sha256: relay.certificateFingerprint, key_pin: relay.keyPin },
          },
        ],
      },
    ]);
  });

  it.each([
    [[], 'name a relay, such as relay.example:4433, or give --config'],
    [['relay.example'], 'relay.example: must be host:port or [ipv6]:port'],
    [['relay.example:0'], 'relay.example:0: must be host:port'],
    [['relay.example:1', '--pin', 'ab'], '--pin: must be a SHA-256: 64 hex digits, or sha256/BASE64'],
    [['127.0.0.1:1', '--ca', 'ca.pem'], '--ca: vouches for a host name, and this is an address; use --pin'],
    [['relay.example:1', '--ca', 'not-there.pem'], 'cannot read not-there.pem, the CA for relay.example:1'],
    [['relay.example:1', '--config', 'edge.json'], '--config names the relays and their proofs'],
  ])('refuses %j', async (args, words) => {
    const attempt = probe(...args);
    await expect(attempt).rejects.toThrow(words);
    expect(await failureCode(attempt)).toBe('config-invalid');
  });
});
