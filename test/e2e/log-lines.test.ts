import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { until } from '../support/until.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-log-lines-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function start(program: string, config: object): ChildProgram {
  const path = join(folder, `${program}.json`);
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return new ChildProgram(program, [program, '-c', path], new SystemClock());
}

function lineOf({ lastLines }: ChildProgram, message: string): Record<string, unknown> | null {
  const line = lastLines.find((each) => each.includes(`"msg":"${message}"`));
  return line === undefined ? null : (JSON.parse(line) as Record<string, unknown>);
}

describe('the log of a start', () => {
  it('has addresses, engine and limits of a relay', async () => {
    await using relay = start('relay', {
      ...{ quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'], max_connections_per_ip: 7 },
    });
    expect(await relay.line('relay started')).toMatchObject({
      quic_addrs: [expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string],
      engine: expect.stringMatching(/^(native|quiche)$/) as string,
      require_bind_auth: true,
      limits: { max_tunnels: 20_000, max_connections_per_ip: 7, max_tunnels_per_connection: 100 },
    });
  });

  it('has name, direction, local address and relays of a tunnel; a relay that is away is one sentence', async () => {
    const tunnel = {
      ...{ id: '8f14e45f-ceea-467f-a9d2-5b6c7d8e9f01', name: 'camera', protocol: 'udp', direction: 'egress' },
      ...{ local_addr: '127.0.0.1:0', relay_addrs: ['nowhere.invalid:4433'] },
      ...{ tunnel_encryption_key: '0'.repeat(64), tunnel_bind_secret: '1'.repeat(64) },
    };
    await using edge = start('edge', { tunnels: [tunnel] });
    await edge.line('edge started');
    expect(lineOf(edge, 'tunnel started')).toMatchObject({
      ...{ tunnel: 'camera', protocol: 'udp', direction: 'egress', relay_addrs: ['nowhere.invalid:4433'] },
      local_addr: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/) as string,
    });
    await until(() => lineOf(edge, 'relay connection failed') !== null);
    const failed = lineOf(edge, 'relay connection failed');
    expect(failed?.['error']).toContain('nowhere.invalid');
    expect(String(failed?.['error']).match(/nowhere\.invalid/g)).toHaveLength(1);
    expect(edge.lastLines.join('\n')).not.toContain('    at ');
  });
});
