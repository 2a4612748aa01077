import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeBeat } from '../../../src/protocol/beat/beat-frame.ts';
import { sealBeat } from '../../../src/protocol/beat/secure-beat.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { startRecovery, silentSlot } from '../../support/observer/recovery-bed.ts';
import { systemdSocket } from '../../support/observer/systemd-socket.ts';
import { TestWatch } from '../../support/observer/test-watch.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';

/** Sends datagrams to a port of this host, one after the other, always from the same address. */
async function sendAll(port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const datagram of datagrams) {
    await new Promise<void>((resolve) => {
      socket.send(datagram, port, '127.0.0.1', () => resolve());
    });
  }
  socket.close();
}

describe('what would harm an observer', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('a secure frame that is sent again, and one of a foreign key, are counted and cause no event', async () => {
    const [key, iv] = [randomBytes(32), randomBytes(8)];
    const keys = { shared: [key], master: [] };
    await using test = await TestWatch.start({ udp: { host: '127.0.0.1', port: 0, keys, attested: false } });
    const frame = (nonce: bigint): Uint8Array =>
      encodeBeat({ status: 'Ok', pid: 4242, timestamp: 1n, nonce, payload: 0 });
    const sealed = (counter: number): Uint8Array => sealBeat(key, frame(BigInt(counter)), { iv, counter });
    const foreign = sealBeat(randomBytes(32), frame(9n), { iv, counter: 9 });

    await sendAll(test.watch.udpPort ?? 0, [sealed(1), sealed(2), sealed(1), sealed(2), foreign, sealed(3)]);

    await test.count('Beat', 3);
    expect(test.events.map(({ type }) => type)).toEqual(['Beat', 'Beat', 'Beat']);
    expect(test.watch.state().counters).toMatchObject({ replays: 2, decryptFailures: 1 });
  });

  it('a file, a folder or a live observer at the socket path is left alone, and the start says which', async () => {
    const [file, directory, live] = [join(folder, 'file'), join(folder, 'directory'), join(folder, 'live')];
    await writeFile(file, 'precious');
    await mkdir(directory);
    await using _observer = await startObserverProcess(['--socket', live, '--threshold-ms', '500']);
    for (const [path, reason] of [
      [file, 'file'],
      [directory, 'director|folder'],
      [live, 'another observer runs here'],
    ] as const) {
      const start = startObserverProcess(['--socket', path, '--threshold-ms', '500']);
      await expect(start).rejects.toThrow(new RegExp(reason));
    }
    expect(await readFile(file, 'utf8')).toBe('precious');
    await using agent = await AgentProcess.start(live);
    expect(await agent.beat()).toBe(0);
  });

  it('a device that takes nothing as export file is reported once, and beats are still taken', async () => {
    const socket = join(folder, 'full');
    const flags = ['--socket', socket, '--threshold-ms', '500', '--print', 'all', '--export-file', '/dev/full'];
    await using observer = await startObserverProcess(flags);
    await using agent = await AgentProcess.start(socket);
    await agent.beat();
    await until(() => observer.log().includes('the export file cannot be written'));
    await agent.beat();
    await until(() => observer.events().filter(({ type }) => type === 'Beat').length === 2);
    expect(observer.log().split('the export file cannot be written')).toHaveLength(2);
  });

  it('an audit that is a device or a folder is refused at the start', async () => {
    for (const path of ['/dev/full', folder]) {
      const audit = ['--recovery-audit-file', path, '--recovery-exec', '/bin/true'];
      const start = startObserverProcess(['--socket', join(folder, 'audited'), '--threshold-ms', '500', ...audit]);
      await expect(start).rejects.toThrow(`recovery_audit_file ${path} cannot be written`);
    }
  });

  it('a recovery command that hangs is killed at its timeout, with what it has forked', async () => {
    const marker = join(folder, 'child-lived-on');
    const argv = ['/bin/sh', '-c', `(sleep 2; touch ${marker}) & sleep 60`];
    const { runner, news } = startRecovery({ argv, settings: { timeoutMs: 200 } });
    runner.stalled(silentSlot(4242));
    await until(() => news.some(({ kind }) => kind === 'completed'));
    expect(news.find(({ kind }) => kind === 'completed')).toMatchObject({ outcome: 'killed' });
    await pause(2500);
    expect(existsSync(marker)).toBe(false);
    await runner.stop();
  });

  it('a recovery command that runs as another user cannot be killed, which is logged and ends nothing', async () => {
    const [clock, logger] = [new ManualClock(), new RecordingLogger()];
    const { runner, news } = startRecovery({
      argv: ['/bin/sleep', '600'],
      clock,
      logger,
      settings: { timeoutMs: 200 },
    });
    runner.stalled(silentSlot(4242));
    const started = news.find(({ kind }) => kind === 'spawned');
    using kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    clock.advance(200);
    const stopped = runner.stop();
    expect(logger.messages('warn')).toEqual(
      Array.from({ length: 2 }, () => 'a recovery command could not be signalled'),
    );
    kill.mockRestore();
    process.kill(started?.kind === 'spawned' ? started.childPid : process.pid, 'SIGKILL');
    await stopped;
  });

  it('a recovery command gets no descriptor of the observer, nor the socket that systemd handed over', async () => {
    const [socket, list] = [join(folder, 'handed-over'), join(folder, 'descriptors')];
    using handedOver = await systemdSocket(socket);
    const script = join(folder, 'list.sh');
    await writeFile(script, `ls -l /proc/self/fd > ${list}.new; mv ${list}.new ${list}\n`);
    const flags = ['--socket', socket, '--threshold-ms', '100', '--recovery-exec', `/bin/sh ${script}`];
    await using _observer = await startObserverProcess(flags, handedOver.fd);
    await using agent = await AgentProcess.start(socket);
    await agent.beat();
    await until(() => existsSync(list));
    expect(await readFile(list, 'utf8')).not.toMatch(/socket|epoll|event/);
  });
});
