import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { formatHostPort } from '../../src/lib/host-port.ts';
import { statsSchema } from '../../src/relay/admin/relay-schemas.ts';
import { ProgramWorld } from '../support/programs/program-world.ts';
import { until } from '../support/until.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-life-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function relay(config: object, ...flags: string[]): ChildProgram {
  const path = join(folder, `config-${randomUUID()}.json`);
  writeFileSync(path, JSON.stringify(config));
  return new ChildProgram('relay', ['relay', '-c', path, ...flags], new SystemClock());
}

async function openStreams({ plan }: ProgramWorld): Promise<number> {
  const answer = await fetch(`http://${formatHostPort(plan.apiAddr)}/api/v1/stats`);
  return statsSchema.parse(await answer.json()).active_tcp_streams;
}

const loopback = { quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'] };

describe('the life of a relay process', () => {
  it('L1 SIGTERM and SIGINT end it with status 0', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using program = relay(loopback);
      await program.line('relay started');
      program.kill(signal);
      await program.line('relay stopped');
      expect(await program.exit()).toBe(0);
    }
  });

  it('L1 a second signal ends it at once while a stream is open', async () => {
    await using world = await ProgramWorld.start();
    const { host, port } = world.plan.tcp.destination;
    // Without someone there the stream would end by itself, and the drain with it.
    const destination = createServer((connection) => connection.on('error', () => {})).listen(port, host);
    await once(destination, 'listening');
    const socket = connect({ ...world.plan.tcp.local, allowHalfOpen: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('held open');
    await until(async () => (await openStreams(world)) === 1, { what: 'the stream at the relay' });
    const program = world.program('relay');
    program.kill('SIGTERM');
    await program.line('relay stopping');
    program.kill('SIGTERM');
    expect(await program.exit(), program.lastLines.join('\n')).toBe(143);
    socket.destroy();
    destination.close();
  });

  it('takes its addresses from flags in place of the config, under both of their names', async () => {
    const config = { quic_addr: '127.0.0.1:1', api_addrs: ['127.0.0.1:1'] };
    await using program = relay(config, '--quic-addr', '127.0.0.1:0', '127.0.0.2:0', '--api-addrs', '127.0.0.3:0');
    const started = await program.line('relay started');
    expect(started['quic_addrs']).toEqual([expect.stringMatching(/^127.0.0.1:/), expect.stringMatching(/^127.0.0.2:/)]);
    expect(started['api_addrs']).toEqual([expect.stringMatching(/^127.0.0.3:/)]);
  });

  it('takes the flags of a field relay, comma lists included, and warns of those that have no effect', async () => {
    const field = ['--quic-addr', '127.0.0.1:1', '--quic-addrs', '127.0.0.1:0,127.0.0.2:0', '--no-udp-relay'];
    const plain = ['--udp-relay-addrs', '127.0.0.1:1,127.0.0.2:1', '--public-udp-addr', 'relay.example:4434'];
    await using program = relay({ api_addrs: ['127.0.0.1:0'] }, ...field, ...plain);
    const started = await program.line('relay started');
    expect(started['quic_addrs']).toEqual([expect.stringMatching(/^127.0.0.1:/), expect.stringMatching(/^127.0.0.2:/)]);
    const warned = program.lastLines.filter((line) => line.includes('config warning')).join('\n');
    for (const flag of ['--udp-relay-addrs', '--public-udp-addr', '--no-udp-relay'])
      expect(warned).toContain(`${flag} has no effect; this relay carries QUIC tunnels only`);
  });

  it('L2 a taken port ends it with one line that names the address and what to do', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = `127.0.0.1:${taken.address().port}`;
    await using program = relay({ ...loopback, quic_addrs: [address] });
    expect(await program.exit()).toBe(1);
    expect(program.lastLines.at(-1)).toMatch(/^adit: no QUIC address could be bound/);
    expect(program.lastLines.at(-1)).toContain(address);
    taken.close();
  });

  it('L2 a port that fails among several is a warning', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = `127.0.0.1:${taken.address().port}`;
    await using program = relay({ ...loopback, quic_addrs: [address, '127.0.0.1:0'] });
    await program.line('relay started');
    expect(program.lastLines.filter((line) => line.includes('"level":"warn"')).join()).toContain(address);
    taken.close();
  });

  it('a taken API port does not keep it from carrying traffic; it warns, and takes the port once it is free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await using program = relay({ ...loopback, api_addrs: [`127.0.0.1:${port}`] });
    const started = await program.line('relay started');
    expect(started).toMatchObject({ quic_addrs: [expect.stringMatching(/^127/)], api_addrs: [] });
    const warned = program.lastLines.find((line) => line.includes('an API address could not be used'));
    expect(warned).toContain('ss -lntup');
    taken.close();
    await program.line('the REST API listens now');
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  it('L2 a state_dir that another program uses ends it with one line; one that a killed program has left does not', async () => {
    const manager = { enabled: true, url: 'wss://127.0.0.1:1/ws/node', registration_token: 'token' };
    const managed = { ...loopback, state_dir: join(folder, 'state'), manager };
    await using first = relay(managed);
    await first.line('relay started');
    await using second = relay(managed);
    expect(await second.exit()).toBe(1);
    expect(second.lastLines.at(-1)).toBe(
      `adit: ${managed.state_dir} is in use by another adit, process ${first.pid}: stop that one or set another state_dir`,
    );
    first.kill('SIGKILL');
    await first.exit();
    await using third = relay(managed);
    await third.line('relay started');
  });

  it('L2 a certificate without its key, and a wrong config, end it with status 2 and every problem with its path', async () => {
    await using program = relay({ ...loopback, tls_cert_path: 'a.pem', max_conections_per_ip: 3, api_token: 'short' });
    expect(await program.exit()).toBe(2);
    const text = program.lastLines.join('\n');
    expect(text).toContain('tls_key_path');
    expect(text).toContain('"max_connections_per_ip"');
    expect(text).toContain('api_token');
  });
});
