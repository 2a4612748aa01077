import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { runAdit } from '../support/programs/adit-command.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-exposed-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const id = '8f14e45f-ceea-467f-a9d2-5b6c7d8e9f01';
const edgeTunnel = {
  ...{ id, name: 'camera', protocol: 'udp', direction: 'egress', local_addr: '127.0.0.1:0', relay_addr: '127.0.0.1:9' },
  tunnel_encryption_key: '0'.repeat(64),
};
const configs = {
  relay: { quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'], tunnels: [{ id, bind_secret: '1'.repeat(64) }] },
  edge: { api_addr: '127.0.0.1:0', tunnels: [edgeTunnel] },
};

describe.each(['relay', 'edge'] as const)('the config of a %s with secrets that every user can read', (program) => {
  it('is warned of at the start, by status and by why, until its rights are mended', async () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify(configs[program]), { mode: 0o644 });
    await using running = new ChildProgram(program, [program, '-c', path], new SystemClock());
    const { api_addrs: addresses } = await running.line(`${program} started`);
    const warned = running.lastLines.find((line) => line.includes('chmod')) ?? '';
    expect(warned).toContain(`${path} holds secrets, and every user of this machine can read it; chmod 600 ${path}`);
    const url = `http://${String(addresses)}`;
    const ask = async (): Promise<string> => {
      const [status, why] = [await runAdit(['status', '--url', url]), await runAdit(['why', id, '--url', url])];
      return status.out + why.out;
    };
    const before = await ask();
    expect(before).toContain(`every user of this machine can read ${path}, which holds secrets: chmod 600 ${path}`);
    expect(before).toContain(
      `· Every user of this machine can read ${path}, which holds secrets.\n  → chmod 600 ${path}`,
    );
    chmodSync(path, 0o600);
    expect(await ask()).not.toContain('chmod');
  });
});
