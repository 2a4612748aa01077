import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { builtEngines } from '../support/programs/engines.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-addresses-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function start(program: string, config: object, wrapper: readonly string[] = []): ChildProgram {
  const path = join(folder, `${program}.json`);
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return new ChildProgram(program, [program, '-c', path], new SystemClock(), wrapper);
}

/** Those below it need a right. Other systems have other rules. */
const firstFreePort =
  process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) : 0;
/** Root without that right; setpriv is of util-linux. */
const withoutPrivilegedPorts =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'] : [];

const engines = await builtEngines();

/** TEST-NET-1: of no machine (RFC 5737). */
const foreign = '192.0.2.7';
const words = `no interface of this machine has that address now (EADDRNOTAVAIL); choose one that "ip addr" lists`;

describe('an address that a program cannot have', () => {
  it.each([
    ['relay', () => ({ quic_addrs: [`${foreign}:4433`], api_addrs: ['127.0.0.1:0'] }), `UDP ${foreign}:4433`],
    ['relay', () => ({ quic: { engine: 'quiche' }, quic_addrs: [`${foreign}:4433`] }), `UDP ${foreign}:4433`],
    ['observer', () => ({ ...observer(), ...plaintext, udp_bind_addr: foreign }), `UDP ${foreign}:8600`],
    ['observer', () => ({ ...observer(), prom_addr: `${foreign}:9100`, ...token() }), `${foreign}:9100`],
    ['manager', () => ({ ...manager(), listen: [`${foreign}:8443`, `${foreign}:9443`] }), `${foreign}:9443`],
  ])('ends the %s, whose last line says why and what to do', async (name, config, place) => {
    await using program = start(name, config());
    expect(await program.exit()).toBeGreaterThan(0);
    expect(program.lastLines.at(-1)).toContain(place);
    expect(program.lastLines.at(-1)).toContain(words);
  });

  it.runIf(firstFreePort > 443).each(engines)(
    'says of a privileged port which right is missing: %s',
    async (engine) => {
      const config = { quic: { engine }, quic_addrs: ['127.0.0.1:443'], api_addrs: ['127.0.0.1:0'] };
      await using program = start('relay', config, withoutPrivilegedPorts);
      expect(await program.exit()).toBeGreaterThan(0);
      const said = program.lastLines.at(-1);
      expect(said).toContain('127.0.0.1:443: this program may not take it (EACCES); ports below 1024 need');
      expect(said).toContain('CAP_NET_BIND_SERVICE: as AmbientCapabilities in the systemd unit');
    },
  );

  it('does not end an edge: its tunnel waits for the address, and the log says what to do', async () => {
    const tunnel = { ...udpTunnel, local_addr: `${foreign}:9000` };
    await using program = start('edge', { tunnels: [tunnel] });
    await program.line('edge started');
    const failed = program.lastLines.find((line) => line.includes('"msg":"tunnel failed"')) ?? '{}';
    expect(JSON.parse(failed)).toMatchObject({
      error: expect.stringContaining(`cannot bind UDP ${foreign}:9000: ${words}`) as string,
    });
  });

  it('ends neither edge nor observer when it is that of the REST API, which they take once it is free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const api = { api_addr: `127.0.0.1:${port}` };
    await using edge = start('edge', { tunnels: [{ ...udpTunnel, local_addr: '127.0.0.1:0' }], ...api });
    expect(await edge.line('edge started')).toMatchObject({ api_addrs: [] });
    const warned = edge.lastLines.find((line) => line.includes('an API address could not be used'));
    expect(warned).toContain('another program has it (EADDRINUSE); stop that one (ss -lntup lists them)');
    taken.close();
    await edge.line('the REST API listens now');
    // Now the edge has it.
    await using watching = start('observer', { ...observer(), ...api });
    expect(await watching.line('observer started')).toMatchObject({ api_addr: null });
    edge.kill('SIGTERM');
    await watching.line('the REST API listens now');
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });
});

const udpTunnel = {
  id: '8f14e45f-ceea-467f-a9d2-5b6c7d8e9f01',
  name: 'camera',
  protocol: 'udp',
  direction: 'egress',
  relay_addr: '127.0.0.1:9',
  tunnel_encryption_key: '0'.repeat(64),
  tunnel_bind_secret: '1'.repeat(64),
};
const plaintext = { udp_port: 8600, i_accept_plaintext_udp: true };

function observer(): object {
  return { socket: join(folder, 'beats.sock'), threshold_ms: 1000 };
}

function token(): object {
  const path = join(folder, 'prom-token');
  writeFileSync(path, 'ab'.repeat(32), { mode: 0o600 });
  return { prom_token_file: path };
}

function manager(): object {
  return { state_dir: join(folder, 'state'), database: { url: `sqlite:${join(folder, 'manager.db')}` } };
}
