import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { createTunnelKit, createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { failureCode } from '../../support/failure-code.ts';
import { runEdge, runRelay } from '../../support/programs/running-programs.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-diag-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function diag(...args: string[]): Promise<string> {
  let printed = '';
  const all = ['diag', '--out', join(folder, 'bundle.tar.gz'), ...args];
  const program = await createProgram({ out: (text) => void (printed += text) }, all);
  await program.parseAsync(['node', 'adit', ...all]);
  return printed;
}

/** Every file of the bundle, as the machine's own tar unpacks it. */
function unpacked(): ReadonlyMap<string, string> {
  execFileSync('tar', ['-xzf', join(folder, 'bundle.tar.gz'), '-C', folder]);
  const root = join(folder, 'adit-diag');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(json|txt)$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** A text that must not be in any bundle. */
function canary(number: number): string {
  return `canary${number}`.padEnd(64, `0123456789abcdef${number}`);
}

describe('adit diag', () => {
  it('has what a relay says of itself, its tunnels and their events, and of the machine', async () => {
    const secrets = createTunnelSecrets(new SystemRandom());
    await using relay = await runRelay({ tunnels: [{ id: secrets.id, bind_secret: secrets.bindSecret }] });
    const plan = { name: 'camera-1', protocol: 'udp', relays: [relay.quicAddresses[0] ?? ''] } as const;
    const kit = createTunnelKit({ ...plan, listen: '127.0.0.1:0', forward: '127.0.0.1:9' }, secrets);
    await using _edge = await runEdge({ ...kit.ingressEdge, api_addr: '127.0.0.1:0' });
    const printed = await diag('--config', relay.configPath, '--url', `http://${relay.apiAddresses[0]}`);
    expect(printed).toMatch(/bundle\.tar\.gz: \d+ files, without the secrets of the config; look into it/);
    const files = unpacked();
    expect(files.get('status.txt')).toContain('relay');
    expect(files.get('why.txt')).toContain(secrets.id);
    expect(files.get(`tunnels/${secrets.id}.json`)).toContain('events');
    expect(files.get('api-metrics.txt')).toContain('adit_relay_ready');
    expect(files.get('check-config.txt')).toContain('is a sound config of a relay');
    expect(JSON.parse(files.get('config.json') ?? '')).toMatchObject({
      quic_addrs: ['127.0.0.1:0'],
      tunnels: [{ id: secrets.id, bind_secret: '***REDACTED***' }],
    });
    expect(JSON.parse(files.get('versions.json') ?? '')).toMatchObject({ engines: { quiche: 'runs' } });
    expect(files.get('machine.json')).toContain('"load"');
    for (const [name, content] of files) expect(content, name).not.toContain(secrets.bindSecret);
    expect(statSync(join(folder, 'bundle.tar.gz')).mode & 0o777).toBe(0o600);
  });

  it('holds no secret of the config, wherever it stands and however its key is misspelt', async () => {
    const path = join(folder, 'edge.json');
    const id = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
    const tunnel = {
      id,
      tunnel_encryption_key: canary(1),
      tunnel_bind_secret: canary(2),
      tunnel_bind_secrt: canary(3),
      local_addr: canary(4),
      name: 'camera-1',
    };
    const config = {
      edge_id: 'venue',
      api_addr: '127.0.0.1:4481',
      api_token: canary(5),
      tunnels: [tunnel],
      manager: {
        urls: [`wss://user:${canary(6)}@manager.example:8443/ws?key=${canary(7)}`],
        registration_token: canary(8),
        previous_node_secrets: [canary(9)],
        node_secret: { nested: [canary(10)] },
      },
      flows: [{ input: { passphrase: canary(11), stream_id: `#!::u=${canary(12)}` } }],
      [canary(13)]: 'pasted as a key',
      notes: { password: canary(14) },
    };
    writeFileSync(path, JSON.stringify(config));
    await diag('--config', path, '--url', 'http://127.0.0.1:9', '--token', canary(15));
    const files = unpacked();
    for (const [name, content] of files) {
      expect(content.match(/canary\d+.{0,8}/g), `${name}: ${content}`).toBeNull();
    }
    expect(JSON.parse(files.get('config.json') ?? '')).toMatchObject({
      edge_id: 'venue',
      api_addr: '127.0.0.1:4481',
      tunnels: [{ id, name: 'camera-1', tunnel_bind_secrt: '***REDACTED***' }],
      manager: { urls: ['wss://manager.example:8443/ws'] },
    });
    // The verdict on the file still names the misspelt key.
    expect(files.get('check-config.txt')).toContain('tunnel_bind_secrt');
    expect(files.get('no-answer.txt')).toContain('nothing answers at http://127.0.0.1:9');
  });

  it('is written without a config and without a program that answers, and replaces no older bundle', async () => {
    await diag('--url', 'http://127.0.0.1:9');
    expect([...unpacked().keys()]).toEqual(expect.arrayContaining(['machine.json', 'no-answer.txt', 'versions.json']));
    expect(await failureCode(diag('--url', 'http://127.0.0.1:9'))).toBe('io-failed');
  });

  it('says where the JSON of a config is broken, and quotes nothing of it', async () => {
    const path = join(folder, 'edge.json');
    writeFileSync(path, `{"api_token": "${canary(1)}", oops}`);
    await diag('--config', path);
    const files = unpacked();
    expect(files.get('config-unreadable.txt')).toContain('is not JSON');
    for (const [name, content] of files) expect(content, name).not.toContain('canary');
  });
});
