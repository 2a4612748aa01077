import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRelayConfig } from '../../../src/relay/config/relay-config.ts';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const json = (path: string): unknown => JSON.parse(read(path));

const units = ['adit-relay', 'adit-edge'] as const;
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
/** 0 is the least exposed, 10 the most; in tenths for the tool. */
const highestExposure = 20;

describe('the config that is shipped', () => {
  it('is a sound one of a relay', () => {
    expect(parseRelayConfig(json('config.json'), '/etc/adit')).toMatchObject({ kind: 'valid', warnings: [] });
  });
});

describe('the logrotate file', () => {
  it('renames files that may still be written to, and leaves it to Adit to make new ones', () => {
    const lines = read('contrib/logrotate/adit')
      .split('\n')
      .map((line) => line.trim());
    for (const wanted of ['nocreate', 'delaycompress', 'missingok']) expect(lines).toContain(wanted);
    expect(lines).not.toContain('copytruncate');
    expect(lines.filter((line) => line.startsWith('/'))).toEqual([
      '/var/lib/adit-relay/logs/*.log /var/lib/adit-edge/logs/*.log {',
    ]);
  });
});

describe('the systemd units', () => {
  it.each(units)('%s is watched, told to reload, and given its folders', (unit) => {
    const text = read(`contrib/systemd/${unit}.service`);
    for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=30', 'ExecReload=/bin/kill -HUP $MAINPID']) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toContain(`StateDirectory=${unit}\n`);
    expect(text).toContain(`ExecStart=/opt/adit/bin/adit ${unit.slice(5)} -c /var/lib/${unit}/config.json\n`);
  });

  it.runIf(hasSystemd).each(units)('%s is understood by systemd and little exposed', (unit) => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-units-'));
    try {
      const path = join(folder, `${unit}.service`);
      writeFileSync(path, read(`contrib/systemd/${unit}.service`).replaceAll('/opt/adit', repository));
      expect(spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
      const limits = ['--offline=yes', `--threshold=${highestExposure}`];
      execFileSync('systemd-analyze', ['security', ...limits, path], { stdio: 'ignore' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the Dockerfile', () => {
  const text = read('Dockerfile');

  it('copies what is there', () => {
    const sources = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap((match) => (match[1] ?? '').split(' '));
    expect(sources).toContain('src');
    expect(sources.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  it('ends as an unprivileged user, with a health check', () => {
    expect(text).toMatch(/^USER node$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
    expect(text.lastIndexOf('USER')).toBeGreaterThan(text.lastIndexOf('\nRUN'));
  });
});
