import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStructuredLog, type StructuredLog } from '../../../src/admin/structured-log.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { JsonLogTarget } from '../../../src/config/schema-parts.ts';
import { FileTarget } from '../../../src/lib/log-target/file-target.ts';
import type { NodeEvent } from '../../../src/protocol/node/node-event.ts';
import { tunnelNumber } from '../../support/samples/sample-relay.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

const source = { source: 'relay', id: 'n-17', softwareVersion: '1.2.3' } as const;
const event: NodeEvent = {
  timestamp: '2026-04-02T12:00:00.000Z',
  severity: 'warning',
  category: 'tunnel',
  message: 'Tunnel bind rejected: per-connection cap exceeded',
  flowId: tunnelNumber(1),
  details: { error_code: 'relay_dos_suspect', cap: 100, bind_token: 'not to be seen' },
};
const line = {
  ts: '2026-04-02T12:00:00.000Z',
  level: 'warning',
  host: hostname(),
  software_version: '1.2.3',
  source: 'relay',
  relay_id: 'n-17',
  flow_id: tunnelNumber(1),
  category: 'tunnel',
  error_code: 'relay_dos_suspect',
  message: 'Tunnel bind rejected: per-connection cap exceeded',
  details: { cap: 100, bind_token: '***REDACTED***' },
};

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adit-structured-log-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function open(target: JsonLogTarget): StructuredLog {
  const log = createStructuredLog(target, source, { clock: new SystemClock(), logger: silentLogger });
  if (log === null) throw new Error('a target was given');
  return log;
}

describe('a log file that others handle', () => {
  it.each([
    ['moved, as logrotate does', (path: string) => rename(path, `${path}.1`), ['one', 'two']],
    ['removed', (path: string) => rm(path), []],
    ['removed with its folder', (path: string) => rm(dirname(path), { recursive: true }), []],
    ['moved, with an empty one in its place', replace, ['one', 'two']],
  ] as const)('goes on under its name when it was %s', async (_how, handle, moved) => {
    const path = join(folder, 'logs/relay.log');
    const target = new FileTarget({ path, maxBytes: 1_000_000, maxBackups: 3 });
    await target.write('one');
    await target.write('two');
    await handle(path);
    await target.write('three');
    await target.write('four');
    await target.close();
    expect(await readFile(path, 'utf8')).toBe('three\nfour\n');
    if (moved.length > 0) expect(await readFile(`${path}.1`, 'utf8')).toBe(`${moved.join('\n')}\n`);
  });

  it('goes on when it was emptied in place (copytruncate)', async () => {
    const path = join(folder, 'relay.log');
    const target = new FileTarget({ path, maxBytes: 1_000_000, maxBackups: 3 });
    await target.write('one');
    await truncate(path);
    await target.write('two');
    await target.close();
    expect(await readFile(path, 'utf8')).toBe('two\n');
  });

  it('begins a line of its own after one that a full disk or a crash has torn', async () => {
    const path = join(folder, 'relay.log');
    await writeFile(path, 'one\ntwo\nthr');
    const target = new FileTarget({ path, maxBytes: 1_000_000, maxBackups: 3 });
    await target.write('three');
    await target.close();
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\nthree\n');
  });

  async function replace(path: string): Promise<void> {
    await rename(path, `${path}.1`);
    await writeFile(path, '');
  }
});

describe('structured log lines', () => {
  it('are not made without a target', () => {
    expect(createStructuredLog(null, source, { clock: new SystemClock(), logger: silentLogger })).toBeNull();
  });

  it('I7 go into a file of mode 0600, one JSON object a line, without secrets', async () => {
    const path = join(folder, 'logs/relay.log');
    const log = open({ kind: 'file', path, max_size_mb: 1, max_backups: 1, format: 'raw' });
    log.write(event);
    log.write({ ...event, severity: 'critical' });
    await log.stop();
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((text): unknown => JSON.parse(text))).toEqual([line, { ...line, level: 'critical' }]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(log.dropped).toBe(0);
  });

  it('are wrapped for splunk', async () => {
    const path = join(folder, 'relay.log');
    const log = open({ kind: 'file', path, max_size_mb: 1, max_backups: 1, format: 'splunk' });
    log.write(event);
    await log.stop();
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ event: line });
  });

  it('call the error code parameter_id for dataminer, and have none where there is no code', async () => {
    const path = join(folder, 'relay.log');
    const log = open({ kind: 'file', path, max_size_mb: 1, max_backups: 1, format: 'dataminer' });
    log.write(event);
    log.write({ ...event, details: { cap: 100 } });
    await log.stop();
    const [coded, plain] = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text): unknown => JSON.parse(text));
    const { error_code: parameter_id, ...rest } = line;
    expect(coded).toEqual({ ...rest, parameter_id });
    expect(plain).toEqual({ ...rest, details: { cap: 100 } });
  });

  it('go to a syslog server in RFC 5424, with the severity of the event', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const received = once(server, 'message') as Promise<[Buffer]>;
      const addr = `127.0.0.1:${server.address().port}`;
      const log = open({ kind: 'syslog', addr, format: 'raw' });
      log.write(event);
      const [datagram] = await received;
      await log.stop();
      const match = /^<28>1 (\S+) (\S+) adit-relay (\d+) - - (\{.*\})$/.exec(datagram.toString());
      expect(match?.[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(match?.[3]).toBe(String(process.pid));
      expect(JSON.parse(match?.[4] ?? '')).toEqual(line);
    } finally {
      server.close();
    }
  });

  it('drop and count what is too long for a datagram', async () => {
    const log = open({ kind: 'syslog', addr: '127.0.0.1:9', format: 'raw' });
    log.write({ ...event, details: { text: 'x'.repeat(70_000) } });
    await log.stop();
    expect(log.dropped).toBe(1);
  });

  it('drop and count what a file does not take', async () => {
    const log = open({ kind: 'file', path: '/dev/null/relay.log', max_size_mb: 1, max_backups: 1, format: 'raw' });
    log.write(event);
    log.write(event);
    await log.stop();
    expect(log.dropped).toBe(2);
  });
});

describe('a log file', () => {
  it.each([
    [2, ['relay.log', 'relay.log.1', 'relay.log.2']],
    [0, ['relay.log']],
  ])('is rotated by size, and %i old ones are kept', async (maxBackups, expected) => {
    const target = new FileTarget({ path: join(folder, 'relay.log'), maxBytes: 100, maxBackups });
    for (let n = 0; n < 20; n++) await target.write('x'.repeat(40));
    await target.close();
    await target.close();
    expect((await readdir(folder)).filter((name) => name.startsWith('relay.log')).toSorted()).toEqual(expected);
  });
});
