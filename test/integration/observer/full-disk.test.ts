import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAudit } from '../../../src/observer/recovery/audit-record.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { canHaveSmallDisk, fill, insideOf, withSmallDisk } from '../../support/programs/small-disk.ts';
import { until } from '../../support/until.ts';

const canMount = canHaveSmallDisk();
/** Their lines in the export file take more than the 4 KB that may be left of its last page. */
const beatsOfAPage = 200;

interface StallLine {
  readonly type: string;
  readonly last_nonce: string;
}

describe('an observer whose disk is full', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('takes beats and recovers agents, and goes on in audit and export file once there is room', async () => {
    if (!canMount) return;
    const [disk, socket, marker] = [join(folder, 'disk'), join(folder, 'o.sock'), join(folder, 'recovered')];
    await mkdir(disk);
    const flags = [
      ...['--socket', socket, '--threshold-ms', '300', '--print', 'all', '--max-beat-rate', '0'],
      ...['--export-file', join(disk, 'tsv'), '--recovery-audit-file', join(disk, 'audit')],
      ...[
        '--recovery-audit-max-bytes',
        '1000',
        '--recovery-debounce-ms',
        '0',
        '--recovery-exec',
        `/bin/touch ${marker}`,
      ],
    ];
    await using observer = await startObserverProcess(flags, undefined, withSmallDisk(disk));
    await using agent = await AgentProcess.start(socket);
    /** As the observer sees its disk. */
    const inside = (name: string): string => insideOf(observer.child.pid, join(disk, name));
    let nonce = 0n;
    const beat = (): Promise<number> => agent.beat({ nonce: (nonce += 1n) });
    const stalls = (): readonly string[] =>
      (observer.events() as readonly StallLine[]).flatMap(({ type, last_nonce }) =>
        type === 'Stall' ? last_nonce : [],
      );
    const recoveries = (): number => observer.log().split(`Recovery for process ${agent.pid} ended`).length - 1;
    /** Beats once, and waits for the Stall after it and for the end of its recovery: nothing is written then. */
    const fallSilent = async (): Promise<void> => {
      await until(async () => (await beat()) === 0);
      await until(() => stalls().includes(String(nonce)));
      await until(() => recoveries() >= stalls().length);
    };

    await fallSilent();
    expect(readFileSync(inside('audit'), 'utf8')).toContain('\tcomplete\t');
    fill(inside('ballast'));
    await until(async () => {
      await fallSilent();
      return observer.log().includes('the recovery audit cannot be written');
    });
    for (let count = 0; count < beatsOfAPage; count += 1) await beat();
    await until(() => observer.log().includes('the export file cannot be written'));
    rmSync(marker, { force: true });
    await fallSilent();
    expect(existsSync(marker)).toBe(true);

    rmSync(inside('ballast'));
    await until(() => observer.log().includes('the export file is written again'));
    const audit = (): string => readFileSync(inside('audit'), 'utf8');
    const before = audit();
    await until(async () => {
      await fallSilent();
      return audit() !== before;
    });
    const audits = readdirSync(inside('.')).filter((name) => name.startsWith('audit'));
    expect(audits.length).toBeGreaterThan(1);
    for (const name of audits)
      expect(verifyAudit(readFileSync(inside(name), 'utf8')), name).toMatchObject({ kind: 'sound' });
    const lines = readFileSync(inside('tsv'), 'utf8').split('\n');
    expect(lines.slice(0, -1).filter((line) => !/^\d+\t[a-z]+\t\S+\t\S+\t\S+\t[^\t]+$/.test(line))).toEqual([]);
    expect(observer.log().split('the export file cannot be written')).toHaveLength(2);
  }, 300_000);

  it.each(['0', '1'])(
    'keeps every line once over reloads, with --export-file-sync-every %s',
    async (syncEvery) => {
      if (!canMount) return;
      const [disk, socket] = [join(folder, `disk-${syncEvery}`), join(folder, `${syncEvery}.sock`)];
      await mkdir(disk);
      const flags = ['--socket', socket, '--threshold-ms', '60000', '--print', 'all', '--max-beat-rate', '0'];
      const exports = ['--export-file', join(disk, 'tsv'), '--export-file-sync-every', syncEvery];
      await using observer = await startObserverProcess([...flags, ...exports], undefined, withSmallDisk(disk));
      await using agent = await AgentProcess.start(socket);
      const inside = (name: string): string => insideOf(observer.child.pid, join(disk, name));
      let nonce = 0n;
      /** Beats so often, and waits until the observer has all of it. */
      const beat = async (times: number): Promise<void> => {
        for (let count = 0; count < times; count += 1) {
          nonce += 1n;
          await until(async () => (await agent.beat({ nonce })) === 0);
        }
        await until(() => observer.out().includes(`"nonce":"${nonce}"`));
      };
      const reloads = (): number => observer.log().split('config reloaded').length;
      const reload = async (): Promise<void> => {
        const before = reloads();
        observer.child.kill('SIGHUP');
        await until(() => reloads() > before);
      };

      await beat(1);
      await reload();
      fill(inside('ballast'));
      await beat(beatsOfAPage);
      await until(() => observer.log().includes('the export file cannot be written'));
      await reload();
      await beat(1);

      rmSync(inside('ballast'));
      await until(async () => {
        await beat(1);
        return observer.log().includes('the export file is written again');
      });
      const nonces = readFileSync(inside('tsv'), 'utf8').match(/(?<=^\d+\tbeat\t\d+\t)\d+(?=\tok\t0$)/gm) ?? [];
      expect(nonces).toEqual(nonces.map((_, index) => String(index + 1)));
      expect(nonces.length).toBeGreaterThan(beatsOfAPage);
      expect(observer.log().split('the export file cannot be written')).toHaveLength(2);
    },
    300_000,
  );
});
