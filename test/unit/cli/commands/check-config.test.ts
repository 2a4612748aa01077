import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from '../../../../src/cli/program.ts';
import { AppError } from '../../../../src/lib/app-error.ts';
import { createSelfSigned } from '../../../support/samples/certificates.ts';
import { wrongEdgeConfigs, wrongRelayConfigs } from './wrong-configs.ts';

const edgeTunnel = {
  id: '8f14e45f-ceea-467f-a9d2-5b6c7d8e9f01',
  name: 'camera',
  protocol: 'udp',
  direction: 'egress',
  local_addr: '127.0.0.1:5000',
  relay_addr: '127.0.0.1:4433',
  tunnel_encryption_key: '0'.repeat(64),
};

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adit-check-config-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function adit(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const program = await createProgram({ out: (text) => printed.push(text) }, args);
  await program.parseAsync(['node', 'adit', ...args]);
  return printed.join('').replaceAll(folder, '');
}

async function check(content: unknown, ...flags: string[]): Promise<string> {
  const path = join(folder, 'config.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return adit('check-config', path, ...flags);
}

/** The lines that the user sees, without the line that names the file. */
async function refusal(content: unknown, ...flags: string[]): Promise<string[]> {
  try {
    await check(content, ...flags);
  } catch (error) {
    if (error instanceof AppError && error.code === 'config-invalid') return error.message.split('\n  ').slice(1);
    throw error;
  }
  throw new Error('the config was taken');
}

describe('adit check-config', () => {
  it.each(Object.entries(wrongRelayConfigs))(
    'tells path, problem and remedy of a relay config with %s',
    async (_name, content) => {
      expect(await refusal(content, '--as', 'relay')).toMatchSnapshot();
    },
  );

  it.each(Object.entries(wrongEdgeConfigs))(
    'tells path, problem and remedy of an edge config with %s',
    async (_name, content) => {
      const written = typeof content === 'string' ? JSON.stringify(content) : content;
      expect(await refusal(written, '--as', 'edge')).toMatchSnapshot();
    },
  );

  it('has a remedy, or an order, in every one of its messages', async () => {
    const tables = [
      ['relay', wrongRelayConfigs],
      ['edge', wrongEdgeConfigs],
    ] as const;
    for (const [program, table] of tables) {
      for (const [name, content] of Object.entries(table)) {
        const written = typeof content === 'string' ? JSON.stringify(content) : content;
        for (const line of await refusal(written, '--as', program)) {
          expect(line, `${program}: ${name}`).toMatch(/; |must be |did you mean/);
          expect(line, `${program}: ${name}`).not.toMatch(/Invalid input|Too (big|small)/);
        }
      }
    }
    expect(Object.keys(wrongRelayConfigs).length + Object.keys(wrongEdgeConfigs).length).toBeGreaterThanOrEqual(60);
  });

  it('reports every problem at once', async () => {
    expect(await refusal({ quic_addrs: [], api_token: 'x', limits: { max_tunnels: 0 }, tunels: [] })).toHaveLength(4);
  });

  it('reports what is wrong with a file that is not JSON, without quoting it', async () => {
    const trailingComma = `{\n  "api_token": "${'s'.repeat(40)}",\n}\n`;
    await expect(check(trailingComma)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/is not JSON; line 2 ends with a comma that nothing follows$/) as string,
    });
    await expect(adit('check-config', join(folder, 'none.json'))).rejects.toMatchObject({ code: 'config-invalid' });
  });

  it('finds out for which program the file is', async () => {
    expect(await check({})).toContain('/config.json is a sound config of a relay\n');
    expect(await check({ edge_id: 'studio' })).toContain('is a sound config of an edge\n');
    expect(await check({ flows: [] })).toContain('is a sound config of an edge\n');
    expect(await check({}, '--as', 'edge')).toContain('is a sound config of an edge\n');
    expect(await refusal({ tunnels: [{ direction: 'egress' }] })).toContain(
      'tunnels[0].id is missing; it must be a UUID in quotes, the same at both edges',
    );
  });

  it('warns of what is allowed and unwise', async () => {
    expect(await check({ require_bind_auth: false, udp_relay_addr: '0.0.0.0:1' })).toMatch(
      /^warning: udp_relay_addr has no effect; .*\nwarning: require_bind_auth is false: anyone may bind a tunnel; /,
    );
  });

  it('refuses a REST API that others can use without a token, for every program that has one', async () => {
    const open = 'would offer the REST API to the network without a token (0.0.0.0:4480); set api_token';
    expect((await refusal({ api_addrs: ['0.0.0.0:4480'] }))[0]).toContain(`api_addrs ${open}`);
    expect((await refusal({ edge_id: 'studio', api_addr: '0.0.0.0:4480' }))[0]).toContain(`api_addr ${open}`);
    const observer = { socket: join(folder, 'beats'), threshold_ms: 500 };
    expect((await refusal({ ...observer, api_addr: '0.0.0.0:4480' }))[0]).toContain(`api_addr ${open}`);
  });

  it.each([
    ['relay', { require_bind_auth: true }, { api_token: 'x'.repeat(32) }],
    ['relay', { quic_addrs: ['127.0.0.1:0'] }, { manager: { url: 'wss://m/x', registration_token: 'once' } }],
    ['edge', { edge_id: 'studio' }, { tunnels: [edgeTunnel] }],
    ['observer', { socket: 'beats', threshold_ms: 500 }, { api_token: 'x'.repeat(32) }],
    ['manager', { settle_secs: 5 }, { database: { url: 'postgres://adit:word@db/adit' } }],
  ])(
    'warns of the file of a %s with secrets that every user can read, and only of that',
    async (_name, own, secret) => {
      expect(await check(own)).not.toContain('chmod');
      const file = join(folder, 'config.json');
      expect(await check({ ...own, ...secret })).toContain(
        'warning: /config.json holds secrets, and every user of this machine can read it; chmod 600 /config.json\n',
      );
      await chmod(file, 0o640);
      expect(await adit('check-config', file)).not.toContain('chmod');
      await chmod(file, 0o644);
    },
  );

  it('reads the certificate that the config names', async () => {
    const paths = { tls_cert_path: 'relay.crt', tls_key_path: 'relay.key' };
    const [missing] = await refusal(paths);
    expect(missing).toContain('tls_cert_path cannot be used: could not read');
    const [good, other] = [await createSelfSigned(), await createSelfSigned()];
    await writeFile(join(folder, 'relay.crt'), good.certificatePem);
    await writeFile(join(folder, 'relay.key'), other.privateKeyPem);
    expect((await refusal(paths))[0]).toContain('the private key does not belong to the certificate; ');
    await writeFile(join(folder, 'relay.key'), good.privateKeyPem);
    expect(await check(paths)).toContain('is a sound config of a relay');
  });

  it('looks at the folders and the CA that the config names', async () => {
    await writeFile(join(folder, 'a-file'), 'not a certificate');
    expect((await refusal({ state_dir: 'a-file/state' }))[0]).toMatch(
      /^state_dir leads through .*a-file, which is a file; name a folder$/,
    );
    const manager = { enabled: true, url: 'wss://manager.example/', registration_token: 't' };
    const unusable = { manager, credentials_path: 'a-file/credentials.json' };
    expect((await refusal(unusable, '--as', 'edge'))[0]).toMatch(
      /^credentials_path leads through .*a-file, which is a/,
    );
    expect((await refusal(unusable, '--as', 'relay'))[0]).toMatch(
      /^credentials_path leads through .*a-file, which is a/,
    );
    // An edge without a manager writes nothing there.
    expect(await check({ state_dir: 'a-file/state' }, '--as', 'edge')).toContain('is a sound config of an edge');
    const [tunnel] = (wrongEdgeConfigs['a CA beside a fingerprint'] as { tunnels: object[] }).tunnels;
    const verified = { ...tunnel, relay_fingerprint: undefined, relay_ca_path: 'a-file' };
    expect((await refusal({ tunnels: [verified] }))[0]).toContain('tunnels[0].relay_ca_path cannot be used: ');
  });
});
