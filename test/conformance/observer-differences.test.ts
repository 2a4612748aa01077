import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { parseObserverConfig } from '../../src/observer/config/observer-config.ts';
import { MetricsServer } from '../../src/observer/outputs/metrics-server.ts';
import { TsvFile } from '../../src/observer/outputs/tsv-file.ts';
import { verifyAudit } from '../../src/observer/recovery/audit-record.ts';
import { AuditLog } from '../../src/observer/recovery/audit-log.ts';
import { RateGate } from '../../src/observer/slots/rate-gate.ts';
import { Tracker } from '../../src/observer/slots/tracker.ts';
import { encodeBeat, TERMINAL_NONCE, type BeatFrame } from '../../src/protocol/beat/beat-frame.ts';
import { loadLibc } from '../../src/posix/libc.ts';
import { connectTo, openDatagramSocket, sendNow } from '../../src/posix/unix-datagram.ts';
import { ManualClock } from '../support/fakes/manual-clock.ts';
import { silentLogger } from '../support/fakes/silent-logger.ts';
import { AgentProcess } from '../support/observer/agent-process.ts';
import { ConfiguredObserver } from '../support/observer/configured-observer.ts';
import { startObserverProcess } from '../support/observer/observer-process.ts';
import { silentSlot, startRecovery } from '../support/observer/recovery-bed.ts';
import { systemdSocket } from '../support/observer/systemd-socket.ts';
import { TestWatch } from '../support/observer/test-watch.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const repository = join(import.meta.dirname, '../..');

/** By the left column of docs/observer.md §11. */
const proofs: Readonly<Record<string, () => Promise<void>>> = {
  async 'an oversized datagram is counted'() {
    await using test = await TestWatch.start({ udp: { host: '127.0.0.1', port: 0, keys: null, attested: false } });
    await using agent = await AgentProcess.start(test.path);
    await agent.send(new Uint8Array(33));
    await agent.send(new Uint8Array(5000));
    await sendUdp(test, Buffer.concat([encodeBeat(frame({ pid: 4000 })), Buffer.alloc(1)]));
    await until(() => test.watch.state().counters.truncatedDatagrams === 3);
    expect(test.events).toEqual([]);
  },
  async 'CtrlTruncated means MSG_CTRUNC'() {
    await using test = await TestWatch.start();
    await using agent = await AgentProcess.start(test.path);
    await agent.send(encodeBeat(frame({ pid: agent.pid })), 1);
    await test.count('CtrlTruncated', 1);
    expect(test.events).toHaveLength(1);
  },
  async 'UNIX and UDP are drained fully and independently'() {
    await using test = await TestWatch.start({ udp: { host: '127.0.0.1', port: 0, keys: null, attested: false } });
    await using agent = await AgentProcess.start(test.path);
    for (let nonce = 1n; nonce <= 200n; nonce += 1n) {
      await sendUdp(test, encodeBeat(frame({ pid: 4000, nonce })));
      await taken(() => agent.beat({ nonce }));
    }
    await test.count('Beat', 400);
    const times = test.events.map(({ observer_ns: ns }) => ns);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
  },
  async 'Stalls come after the drain'() {
    await using test = await TestWatch.start({ thresholdMs: 300 });
    const libc = await loadLibc();
    const fd = openDatagramSocket(libc) ?? -1;
    expect(connectTo(libc, fd, test.path)).toBe(0);
    sendNow(libc, fd, encodeBeat(frame({ pid: process.pid })));
    await test.count('Beat', 1);
    // The observer stands still for three thresholds; a beat waits when it goes on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
    sendNow(libc, fd, encodeBeat(frame({ pid: process.pid, nonce: 2n })));
    await test.count('Beat', 2);
    expect(test.of('Stall')).toEqual([]);
    expect(test.watch.state().counters.selfPauses).toBeGreaterThan(0);
    await test.count('Stall', 1);
    libc.close(fd);
  },
  async 'a sequence may begin again inside a pid'() {
    await using test = await TestWatch.start({ thresholdMs: 1000 });
    await using agent = await AgentProcess.start(test.path);
    await agent.beat({ nonce: 5n });
    await agent.beat({ nonce: 1n });
    await until(() => test.watch.state().counters.outOfOrder === 1);
    await until(() => test.watch.state().nowNs - Number(test.of('Beat')[0]?.observer_ns) > 510e6);
    await agent.beat({ nonce: 2n });
    await test.count('Beat', 2);
    expect(test.watch.state().counters.nonceRestarts).toBe(1);
  },
  async 'a terminal beat passes the rate limit'() {
    await using test = await TestWatch.start({ maxBeatRate: 1 });
    await using agent = await AgentProcess.start(test.path);
    await agent.beat();
    await agent.beat();
    await agent.beat({ status: 'Critical', nonce: TERMINAL_NONCE });
    const beats = await test.count('Beat', 2);
    expect(beats.map(({ nonce }) => nonce)).toEqual([1n, TERMINAL_NONCE]);
    expect(test.watch.state().counters.rateLimitedPerPid).toBe(1);
  },
  'the last beat of a dead sender is no conflict'() {
    const tracker = newTracker();
    const beat = (nonce: bigint, nsInode: bigint | null, gone: boolean) =>
      tracker.accept({ frame: frame({ nonce }), origin: 'KernelAttested', nsInode, gone, receivedNs: Number(nonce) })
        .kind;
    expect([beat(1n, 7n, false), beat(2n, null, true), beat(3n, null, false)]).toEqual([
      ...['accepted', 'accepted', 'namespace-conflict'],
    ]);
    return Promise.resolve();
  },
  'the global limit holds the rate it is given'() {
    const gate = new RateGate({ ratePerSecond: 5000, burst: 100 });
    let passed = 0;
    for (let ns = 0; ns < 10e9; ns += 50_000) passed += Number(gate.tryPass(ns));
    expect(passed).toBeGreaterThanOrEqual(50_000);
    expect(passed).toBeLessThanOrEqual(50_101);
    return Promise.resolve();
  },
  async 'probes are counted apart'() {
    await using test = await TestWatch.start();
    await using agent = await AgentProcess.start(test.path);
    await agent.send(new Uint8Array());
    await until(() => test.watch.state().counters.probes === 1);
    expect(test.watch.state().counters.truncatedDatagrams).toBe(0);
  },
  async 'a live stream socket at the path is left alone'() {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const path = join(folder, 'taken');
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    const settings = { socket: { path, mode: 0o600, receiveBufferBytes: 0 } };
    await expect(TestWatch.start(settings)).rejects.toThrow(/belongs to a running program/);
    await new Promise((resolve) => void server.close(resolve));
    await rm(folder, { recursive: true });
  },
  async 'frame and scrape authentication have a counter each'() {
    await using test = await TestWatch.start();
    await using agent = await AgentProcess.start(test.path);
    await using metrics = await startMetrics(10);
    await agent.beat({ pid: process.pid });
    await test.count('AuthFailure', 1);
    expect((await metrics.scrape('wrong')).status).toBe(401);
    expect([test.watch.state().counters.authFailures, metrics.server.counters.authFailures]).toEqual([1, 1]);
  },
  async '/metrics never answers 200 with an empty body'() {
    await using metrics = await startMetrics(3);
    const answers = await Promise.all(Array.from({ length: 20 }, () => metrics.scrape(metrics.token)));
    const bodies = await Promise.all(
      answers.map(async (answer) => ({ status: answer.status, body: await answer.text() })),
    );
    expect(bodies.filter(({ status, body }) => status === 200 && body === '')).toEqual([]);
    expect(new Set(bodies.map(({ status }) => status))).toEqual(new Set([200, 429]));
  },
  async 'the export file is on disk within a second'() {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const [path, clock] = [join(folder, 'tsv'), new ManualClock()];
    const file = new TsvFile({ clock, logger: silentLogger }, { path, maxBytes: null, syncEvery: 0 });
    file.append('1\tbeat\t2\t1\tok\t0\n');
    clock.advance(1000);
    expect(readFileSync(path, 'utf8')).toBe('1\tbeat\t2\t1\tok\t0\n');
    file.close();
    await rm(folder, { recursive: true });
  },
  async 'SIGHUP reloads'() {
    await using observer = await ConfiguredObserver.start(() => ({ threshold_ms: 30_000 }));
    const { program } = observer;
    await using agent = await AgentProcess.start(observer.socket);
    await observer.reload({ threshold_ms: 200 });
    await until(() => program.log().includes('config reloaded'));
    await agent.beat();
    await until(() => program.out().includes('"Stall"'));
  },
  async 'systemd sockets are taken'() {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const path = join(folder, 'o.sock');
    using socket = await systemdSocket(path);
    await using agent = await AgentProcess.start(path);
    for (const turn of [1, 2]) {
      await agent.beat();
      const flags = ['--socket', path, '--threshold-ms', '30000', '--print', 'all'];
      await using program = await startObserverProcess(flags, socket.fd);
      await until(() => program.out().includes(`"nonce":"${turn}"`));
    }
    await rm(folder, { recursive: true });
  },
  async '`allowed_uids`'() {
    const [own, other] = [process.getuid?.() ?? 0, 65_534];
    await using test = await TestWatch.start({ allowedUids: [isRoot ? other : own + 1] });
    await chmod(test.path, 0o666);
    await chmod(test.folder, 0o755);
    await using agent = await AgentProcess.start(test.path);
    await agent.beat();
    expect((await test.count('Io', 1))[0]).toMatchObject({ error: { kind: 'PermissionDenied' } });
    if (!isRoot) return;
    await using allowed = await AgentProcess.start(test.path, ['setpriv', `--reuid=${other}`, '--clear-groups']);
    await allowed.beat();
    await test.count('Beat', 1);
  },
  async 'the audit has real times, killed children and failed starts'() {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const path = join(folder, 'audit');
    const audit = new AuditLog({ clock: new SystemClock(), nowNs: () => 5e9 }, { path, maxBytes: null, syncEvery: 1 });
    const recovery = startRecovery({ audit, argv: ['/bin/sleep', '60'] });
    recovery.runner.stalled(silentSlot(10));
    await until(() => recovery.news.some(({ kind }) => kind === 'spawned'));
    await recovery.runner.stop();
    const failing = startRecovery({ audit, argv: ['/nonexistent'] });
    failing.runner.stalled(silentSlot(11));
    await until(() => failing.news.some(({ kind }) => kind === 'spawn-failed'));
    const content = await readFile(path, 'utf8');
    expect(content).toMatch(/\t5000000000\tcomplete\t10\t\d+\tkilled\t-\t9\t/);
    expect(content).toMatch(/\t5000000000\tspawn_failed\t11\tENOENT\t\/nonexistent\t/);
    expect(verifyAudit(content)).toMatchObject({ kind: 'sound', records: 4 });
    await rm(folder, { recursive: true });
  },
  async 'a recovery that was too early runs later'() {
    const clock = new ManualClock();
    const recovery = startRecovery({ clock, argv: ['/bin/true'] });
    recovery.runner.stalled(silentSlot(10));
    await until(() => recovery.news.some(({ kind }) => kind === 'completed'));
    recovery.runner.stalled(silentSlot(10));
    expect(recovery.news.at(-1)?.kind).toBe('debounced');
    clock.advance(1000);
    await until(() => recovery.news.filter(({ kind }) => kind === 'spawned').length === 2);
    await recovery.runner.stop();
  },
  'plaintext UDP binds loopback unless the config says otherwise'() {
    const parsed = parseObserverConfig({ threshold_ms: 500, udp_port: 0, i_accept_plaintext_udp: true }, '/');
    expect(parsed).toMatchObject({ kind: 'valid', config: { udp_bind_addr: '127.0.0.1' } });
    return Promise.resolve();
  },
  async 'no descriptor of an agent can be received'() {
    await using test = await TestWatch.start();
    await using agent = await AgentProcess.start(test.path);
    const before = readdirSync('/proc/self/fd').length;
    const beat = encodeBeat(frame({ pid: agent.pid }));
    for (let turn = 0; turn < 50; turn += 1) await taken(() => agent.send(beat, 3));
    await test.count('CtrlTruncated', 50);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  },
};

describe('a difference from varta-watch that is on purpose:', () => {
  it('each line of docs/observer.md §11 has a proof here', () => {
    const page = readFileSync(join(repository, 'docs/observer.md'), 'utf8').split('## 11')[1] ?? '';
    const lines = [...page.matchAll(/^\| (.+?) +\|/gm)]
      .map(([, cell]) => cell?.trim())
      .filter((cell) => !/^(here|-+)$/.test(cell ?? ''));
    expect(Object.keys(proofs).toSorted()).toEqual(lines.toSorted());
  });

  it.each(Object.keys(proofs))('%s', async (name) => {
    await proofs[name]?.();
  });
});

/** Sends until the socket's queue, of eleven, has room: its reader may wait for a core for longer than that lasts. */
async function taken(send: () => Promise<number>): Promise<void> {
  await until(async () => (await send()) === 0);
}

function frame(fields: Partial<BeatFrame>): BeatFrame {
  return { status: 'Ok', pid: 10, timestamp: 1n, nonce: 1n, payload: 0, ...fields };
}

function newTracker(): Tracker {
  return new Tracker(() => null, {
    ...{ capacity: 4, evictionPolicy: 'strict', scanWindow: 4, thresholdNs: 1e9, originPolicy: 'first', minGapNs: 0 },
  });
}

async function sendUdp(test: TestWatch, bytes: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.send(bytes, test.watch.udpPort ?? 0, '127.0.0.1', () => resolve()));
  socket.close();
}

async function startMetrics(burst: number) {
  const token = 'cd'.repeat(32);
  const settings = { address: '127.0.0.1:0', token, ratePerSecond: 1, burst };
  const server = new MetricsServer({ clock: new SystemClock(), text: () => 'up 1\n' }, settings);
  await server.start();
  return {
    server,
    token,
    scrape: (given: string) =>
      fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { authorization: `Bearer ${given}` } }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
