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
      ...['--socket', socket, '--threshold-ms', '100', '--print', 'all', '--max-beat-rate', '0'],
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
    const stalls = (): number => observer.events().filter(({ type }) => type === 'Stall').length;
    const fallSilent = async (): Promise<void> => {
      const before = stalls();
      await until(async () => (await agent.beat()) === 0);
      await until(() => stalls() > before);
    };

    await fallSilent();
    await until(() => readFileSync(inside('audit'), 'utf8').includes('\tcomplete\t'));
    fill(inside('ballast'));
    await until(async () => {
      await fallSilent();
      return observer.log().includes('the recovery audit cannot be written');
    });
    await until(async () => {
      await agent.beat();
      return observer.log().includes('the export file cannot be written');
    });
    rmSync(marker, { force: true });
    await fallSilent();
    await until(() => existsSync(marker));

    rmSync(inside('ballast'));
    await until(() => observer.log().includes('the export file is written again'));
    const records = (): number => readFileSync(inside('audit'), 'utf8').split('\n').length;
    const before = records();
    await until(async () => {
      await fallSilent();
      return records() !== before;
    });
    const audits = readdirSync(inside('.')).filter((name) => name.startsWith('audit'));
    expect(audits.length).toBeGreaterThan(1);
    for (const name of audits)
      expect(verifyAudit(readFileSync(inside(name), 'utf8')), name).toMatchObject({ kind: 'sound' });
    const lines = readFileSync(inside('tsv'), 'utf8').split('\n');
    expect(lines.slice(0, -1).filter((line) => !/^\d+\t[a-z]+\t\S+\t\S+\t\S+\t[^\t]+$/.test(line))).toEqual([]);
    expect(observer.log().split('the export file cannot be written')).toHaveLength(2);
  }, 300_000);
});
