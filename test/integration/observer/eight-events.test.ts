import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { encodeBeat } from '../../../src/protocol/beat/beat-frame.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { TestWatch } from '../../support/observer/test-watch.ts';
import { until } from '../../support/until.ts';

const isRoot = process.getuid?.() === 0;
const token = 'ab'.repeat(32);
if (!isRoot) process.stdout.write('not root: other users and other PID namespaces are left out\n');

describe('the eight events, provoked for real', () => {
  it('stand on standard output, in the export file and in the metrics', async () => {
    await using observer = await startProgram();
    await using agent = await AgentProcess.start(observer.socket);
    expect(await agent.beat({ payload: 7 })).toBe(0);
    // Whoever beats first for a pid owns its slot, and the two sockets are read each for itself.
    await until(() => observer.events().some(({ type }) => type === 'Beat'));
    const bad = encodeBeat({ status: 'Ok', pid: agent.pid, timestamp: 1n, nonce: 2n, payload: 0 });
    bad[28] = (bad[28] ?? 0) ^ 1;
    await agent.send(bad);
    await agent.beat({ pid: process.pid });
    await agent.send(encodeBeat({ status: 'Ok', pid: agent.pid, timestamp: 1n, nonce: 3n, payload: 0 }), 1);
    await sendUdp(observer.udpPort, encodeBeat({ status: 'Ok', pid: agent.pid, timestamp: 1n, nonce: 9n, payload: 0 }));
    await using outsiders = new AsyncDisposableStack();
    if (isRoot) {
      const wrapped = async (...wrapper: string[]): Promise<AgentProcess> =>
        outsiders.use(await AgentProcess.start(observer.socket, wrapper));
      // They live until the observer has looked at them: the namespace of a process that has ended is unknown.
      await (await wrapped('setpriv', '--reuid=65534', '--clear-groups')).beat();
      await (await wrapped('unshare', '-p', '-f')).beat();
    }
    const expected = ['Beat', 'Decode', 'AuthFailure', 'CtrlTruncated', 'OriginConflict', 'Stall'];
    if (isRoot) expected.push('Io', 'NamespaceConflict');
    const types = new Set(expected);
    await until(() => types.isSubsetOf(new Set(observer.events().map(({ type }) => type))));
    const event = (type: string): Record<string, unknown> => observer.events().find((each) => each.type === type) ?? {};
    const ns = expect.stringMatching(/^\d+$/) as string;
    const kernel = { origin: 'KernelAttested', pid_ns_inode: ns, observer_ns: ns };
    const { pid } = agent;
    expect(event('Beat')).toEqual({ type: 'Beat', pid, status: 'Ok', payload: 7, nonce: '1', ...kernel });
    expect(event('Stall')).toEqual({ type: 'Stall', pid, last_nonce: '1', last_ns: ns, ...kernel });
    expect(event('Decode')).toMatchObject({ error: { kind: 'BadCrc' }, observer_ns: ns });
    expect(event('AuthFailure')).toEqual({ type: 'AuthFailure', claimed_pid: process.pid, observer_ns: ns });
    const origins = { observed_origin: 'NetworkUnverified', slot_origin: 'KernelAttested' };
    expect(event('OriginConflict')).toEqual({ type: 'OriginConflict', claimed_pid: pid, ...origins, observer_ns: ns });
    expect(event('CtrlTruncated')).toMatchObject({ error: { kind: 'InvalidData' }, observer_ns: ns });
    await until(async () => (await readFile(observer.exported, 'utf8')).includes('\tstall\t'));
    const tsv = await readFile(observer.exported, 'utf8');
    for (const line of [
      `beat\t${pid}\t1\tok\t7`,
      `stall\t${pid}\t1\tstall\t-`,
      `mismatch\t${pid}\t-\t-\torigin_conflict`,
    ]) {
      expect(tsv).toContain(`\t${line}\n`);
    }
    expect(tsv).toMatch(/\tdecode\t-\t-\t-\tBadCrc \{ expected: \d+, actual: \d+ \}\n/);
    expect(tsv).toMatch(/\tctrunc\t-\t-\t-\t.*MSG_CTRUNC/);
    const metrics = await observer.metrics();
    expect(metrics).toContain(`varta_beats_total{pid="${pid}"} 1\n`);
    expect(metrics).toContain(`varta_stalls_total{pid="${pid}"} 1\nvarta_status`.split('\n')[0]);
    expect(metrics).toContain('varta_decode_errors_total{kind="bad_crc"} 1\n');
    expect(metrics).toContain('varta_frame_auth_failures_total 1\n');
    expect(metrics).toContain('varta_ctrl_truncated_total 1\n');
    expect(metrics).toContain('varta_origin_conflict_total 1\n');
    if (!isRoot) return;
    expect(event('Io')).toMatchObject({ error: { kind: 'PermissionDenied' }, observer_ns: ns });
    expect(event('NamespaceConflict')).toMatchObject({ observed_ns_inode: ns, observer_ns_inode: ns });
    expect(event('NamespaceConflict')['observed_ns_inode']).not.toBe(event('NamespaceConflict')['observer_ns_inode']);
    expect(metrics).toContain('varta_io_errors_total 1\n');
    expect(metrics).toContain('varta_frame_namespace_mismatch_total 1\n');
  });

  it('have an Io for a socket that fails, after which receiving goes on', async () => {
    await using test = await TestWatch.start();
    await using agent = await AgentProcess.start(test.path);
    await agent.beat();
    await test.count('Beat', 1);
    const { dup, dup2, close, open } = descriptorCalls();
    const fd = await socketOf(test.path);
    const kept = dup(fd);
    // Receiving from standard input fails with ENOTSOCK.
    const file = open('/dev/null', 0);
    dup2(file, fd);
    await agent.beat();
    const [failure] = await test.count('Io', 1);
    expect(failure).toMatchObject({ error: { kind: 'Other', errno: 88 } });
    dup2(kept, fd);
    close(kept);
    close(file);
    await agent.beat();
    await test.count('Beat', 2);
  });
});

interface DescriptorCalls {
  readonly dup: (fd: number) => number;
  readonly dup2: (from: number, to: number) => number;
  readonly close: (fd: number) => number;
  readonly open: (path: string, flags: number) => number;
}

function descriptorCalls(): DescriptorCalls {
  const libc = koffi.load(null);
  const calls = ['int dup(int)', 'int dup2(int, int)', 'int close(int)', 'int open(const char *, int)'];
  const named = calls.map((call): [string, unknown] => [/ (\w+)\(/.exec(call)?.[1] ?? '', libc.func(call)]);
  return Object.fromEntries(named) as unknown as DescriptorCalls;
}

/** The descriptor of this process that is the socket bound to the path. /proc/net has only those of its namespace. */
async function socketOf(path: string): Promise<number> {
  const getsockname = koffi.load(null).func('int getsockname(int, _Out_ uint8_t *, _Inout_ uint8_t *)') as (
    ...args: [fd: number, address: Uint8Array, length: Uint8Array]
  ) => number;
  for (const fd of await readdir('/proc/self/fd')) {
    const address = Buffer.alloc(110);
    const found = getsockname(Number(fd), address, new Uint8Array([address.length, 0, 0, 0])) === 0;
    if (found && address.subarray(2).toString().startsWith(`${path}\0`)) return Number(fd);
  }
  throw new Error(`no descriptor for ${path}`);
}

async function sendUdp(port: number, bytes: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));
  socket.close();
}

async function startProgram() {
  const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
  const [socket, exported, tokenFile] = [join(folder, 'o.sock'), join(folder, 'tsv'), join(folder, 'token')];
  await writeFile(tokenFile, token, { mode: 0o600 });
  const [udpPort, promPort] = [await freeUdpPort(), await freeTcpPort()];
  const flags = [
    ...['--socket', socket, '--threshold-ms', '3000', '--print', 'all', '--export-file', exported],
    ...['--udp-port', String(udpPort), '--i-accept-plaintext-udp', '--prom-addr', `127.0.0.1:${promPort}`],
    // Nothing is refused for its rate, however fast the test sends.
    ...['--max-beat-rate', '0', '--prom-token-file', tokenFile, ...(isRoot ? ['--socket-mode', '0666'] : [])],
  ];
  const program = await startObserverProcess(flags);
  // The socket lets other users in, its folder must too.
  await chmod(folder, 0o755);
  return {
    socket,
    exported,
    udpPort,
    events: () => program.events(),
    async metrics() {
      const response = await fetch(`http://127.0.0.1:${promPort}/metrics`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return response.text();
    },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => void socket.close(() => resolve()));
  return port;
}
