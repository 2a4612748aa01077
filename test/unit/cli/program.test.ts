import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { exitCodeOf, reportFailure } from '../../../src/cli/failure.ts';
import { commandNames, createProgram } from '../../../src/cli/program.ts';
import { parseEdgeConfig } from '../../../src/edge/config/edge-config.ts';
import { computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { certificateFingerprint, keepSelfSigned } from '../../../src/quic/tls-material.ts';
import { bindVector, vectorTunnel } from '../../support/samples/vectors.ts';

async function run(...args: string[]): Promise<{ out: string; err: string; error: unknown }> {
  let [out, err] = ['', ''];
  const collect = (text: string): void => void (out += text);
  const program = await createProgram({ out: collect }, args);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: collect, writeErr: (text) => void (err += text) });
  }
  const error = await program.parseAsync(['node', 'adit', ...args]).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { out, err, error };
}

describe('the command line', () => {
  it('prints the version of the package', async () => {
    expect((await run('version')).out).toBe(`${packageJson.version}\n`);
    const { out, error } = await run('--version');
    expect(out).toBe(`${packageJson.version}\n`);
    expect(exitCodeOf(error)).toBe(0);
  });

  it('ends with status 2 on an unknown command or flag', async () => {
    expect(exitCodeOf((await run('fly')).error)).toBe(2);
    expect(exitCodeOf((await run('token', '--wings')).error)).toBe(2);
  });

  it('names the program, and where the help for that very command is', async () => {
    expect((await run('demo', '--wings')).err).toBe(
      "adit: unknown option '--wings'\n(run 'adit demo --help' for what it takes)\n",
    );
    expect((await run('relai')).err).toBe(
      "adit: unknown command 'relai'\n(Did you mean relay?)\n(run 'adit --help' for what it takes)\n",
    );
  });

  it('has a description with a line of its own for each sentence at most, which any terminal breaks as it likes', async () => {
    for (const command of (await createProgram({ out: () => {} }, commandNames)).commands) {
      expect(command.description(), command.name()).toMatch(/^([^\n]+[.:]\n)*[^\n]+[.]$/);
    }
  });
});

describe('adit relay and adit edge', () => {
  it('say so when they are given the config of the other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-others-'));
    try {
      await run('keygen', '--out', folder);
      const [relay, edge] = ['relay.json', 'edge-egress.json'].map((name) => join(folder, name));
      const started = await Promise.all([run('relay', '-c', String(edge)), run('edge', '-c', String(relay))]);
      expect(started.map(({ error }) => [String(error), exitCodeOf(error)])).toEqual([
        [`AppError: ${edge} is a config of an edge; start it with: adit edge -c ${edge}`, 2],
        [`AppError: ${relay} is a config of a relay; start it with: adit relay -c ${relay}`, 2],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('adit token', () => {
  const args = ['token', '--secret', bindVector.secret, '--tunnel', vectorTunnel.id];

  it('prints the tokens of the contract, one a line, ingress first', async () => {
    expect((await run(...args)).out).toBe(`${bindVector.token.ingress}\n${bindVector.token.egress}\n`);
    expect((await run(...args, '--direction', 'egress')).out).toBe(`${bindVector.token.egress}\n`);
  });

  it('takes the secret from a file, where other users cannot see it, and warns of the flag', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-token-'));
    const file = join(folder, 'secret');
    writeFileSync(file, `${bindVector.secret}\n`, { mode: 0o600 });
    const quiet = await run('token', '--secret-file', file, '--tunnel', vectorTunnel.id);
    rmSync(folder, { recursive: true });
    expect(quiet).toMatchObject({ err: '', out: `${bindVector.token.ingress}\n${bindVector.token.egress}\n` });
    expect((await run(...args)).err).toBe(
      'adit: warning: other users can see --secret in the process list; use --secret-file, or set ADIT_BIND_SECRET\n',
    );
    expect((await run('status', '--url', 'http://127.0.0.1:9', '--token', 'x')).err).toContain('--token');
    expect(String((await run('token', '--tunnel', vectorTunnel.id)).error)).toContain('the bind secret is missing');
    expect(String((await run('token', '--tunnel', vectorTunnel.id, '--secret-file', file)).error)).toContain(
      `--secret-file ${file}: cannot be read`,
    );
  });

  it('names every wrong argument at once and ends with status 2', async () => {
    const { error, out } = await run('token', '--secret', 'abc', '--tunnel', 'xyz');
    const lines: string[] = [];
    reportFailure(error, (line) => lines.push(line));
    expect(lines).toEqual(['adit: --secret: must be 64 hex digits\n', 'adit: --tunnel xyz: must be a UUID\n']);
    expect(exitCodeOf(error)).toBe(2);
    expect(out).toBe('');
  });
});

/** Without the schemas that the configs name. */
function configsIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => !name.endsWith('.schema.json'));
  return names.toSorted();
}

describe('adit keygen', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-keygen-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));

  it('writes a relay config and two edge configs that fit together, readable by their owner only', async () => {
    const addresses = ['--relay', '192.0.2.1:4433', '192.0.2.2:4433', '--listen', '127.0.0.1:9000'];
    const { error } = await run('keygen', '--protocol', 'udp', ...addresses, '--out', folder);
    expect(error).toBeNull();
    for (const [name, schema] of [
      ['relay.json', './config.schema.json'],
      ['edge-egress.json', './edge.schema.json'],
      ['edge-ingress.json', './edge.schema.json'],
    ] as const) {
      expect(read(name)).toMatchObject({ $schema: schema });
      expect(read(schema)).toMatchObject({ $schema: expect.stringContaining('json-schema.org') as string });
      expect((await run('check-config', join(folder, name))).out).toContain('is a sound config of');
    }
    const relay = read('relay.json') as { tunnels: [{ id: string; bind_secret: string }] };
    const edges = ['edge-egress.json', 'edge-ingress.json'].map((name) => {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      const parsed = parseEdgeConfig(read(name), { directory: folder, hostname: 'host' });
      if (parsed.kind !== 'valid') throw new Error(JSON.stringify(parsed.problems));
      return parsed.config.tunnels[0];
    });
    expect(edges.map((tunnel) => tunnel?.direction)).toEqual(['egress', 'ingress']);
    expect(edges[0]?.encryptionKey).toBe(edges[1]?.encryptionKey);
    expect(edges[0]?.relays.map(({ host }) => host)).toEqual(['192.0.2.1', '192.0.2.2']);
    for (const tunnel of edges) {
      expect(tunnel).toMatchObject({
        id: relay.tunnels[0].id,
        bindSecret: relay.tunnels[0].bind_secret,
        protocol: 'udp',
      });
    }
  });

  it('makes other secrets each time', async () => {
    const [first, second] = [await run('keygen'), await run('keygen')];
    expect(first.out).not.toBe(second.out);
    expect(first.out).toContain('# edge-ingress.json');
  });

  it('makes the folder, and writes all three files or none', async () => {
    const kit = join(folder, 'new', 'kit');
    await run('keygen', '--out', kit);
    expect(configsIn(kit)).toEqual(['edge-egress.json', 'edge-ingress.json', 'relay.json']);
    rmSync(join(kit, 'relay.json'));
    const before = readFileSync(join(kit, 'edge-egress.json'), 'utf8');
    const { error } = await run('keygen', '--out', kit);
    expect(exitCodeOf(error)).toBe(1);
    expect(String(error)).toMatch(/keygen never replaces a file, and has .*edge-egress.json, .*edge-ingress.json$/);
    expect(configsIn(kit)).toEqual(['edge-egress.json', 'edge-ingress.json']);
    expect(readFileSync(join(kit, 'edge-egress.json'), 'utf8')).toBe(before);
  });

  it.each([
    [['relay.example:4433'], undefined],
    [['relay.example:14433'], ['0.0.0.0:14433', '[::]:14433']],
    [
      ['a.example:443', 'b.example:443'],
      ['0.0.0.0:443', '[::]:443'],
    ],
    [
      ['a.example:443', 'b.example:4433'],
      ['0.0.0.0:443', '[::]:443', '0.0.0.0:4433', '[::]:4433'],
    ],
  ])('has the relay listen where the edges dial: %j', async (relays, quic_addrs) => {
    await run('keygen', '--relay', ...relays, '--out', folder);
    expect((read('relay.json') as { quic_addrs?: string[] }).quic_addrs).toEqual(quic_addrs);
    expect((await run('check-config', join(folder, 'relay.json'))).out).toContain('is a sound config of');
  });

  it('takes the name of a container where the ingress edge forwards', async () => {
    await run('keygen', '--forward', 'decoder:9001', '--out', folder);
    expect((await run('check-config', join(folder, 'edge-ingress.json'))).out).toContain('is a sound config of');
  });

  it('takes localhost for the local ends', async () => {
    await run('keygen', '--listen', 'localhost:9000', '--forward', 'localhost:9001', '--out', folder);
    const ends = ['edge-egress.json', 'edge-ingress.json'].map((name) => {
      const parsed = parseEdgeConfig(read(name), { directory: folder, hostname: 'host' });
      return parsed.kind === 'valid' ? parsed.config.tunnels[0]?.localAddr : parsed.problems;
    });
    expect(ends).toEqual([
      { host: '127.0.0.1', port: 9000 },
      { host: '127.0.0.1', port: 9001 },
    ]);
  });

  it('has the edges trust only the certificate that it makes for the relay, or finds', async () => {
    await run('keygen', '--pin', '--out', folder);
    const identity = await keepSelfSigned(join(folder, 'certs'), { now: () => 0 });
    const relay_fingerprint = certificateFingerprint(identity.certificate);
    for (const name of ['edge-egress.json', 'edge-ingress.json']) {
      expect(read(name)).toMatchObject({ tunnels: [{ relay_fingerprint }] });
      rmSync(join(folder, name));
    }
    rmSync(join(folder, 'relay.json'));
    await run('keygen', '--pin', '--out', folder);
    expect(read('edge-egress.json')).toMatchObject({ tunnels: [{ relay_fingerprint }] });
  });

  it('refuses to pin what it cannot', async () => {
    const wrong = ['--pin', '--fingerprint', 'ab'.repeat(32), '--relay', 'a:1', 'b:1'];
    const { error } = await run('keygen', ...wrong);
    expect(String(error).match(/--pin: [a-z]+/g)).toEqual(['--pin: needs', '--pin: says', '--pin: fits']);
    expect(exitCodeOf(error)).toBe(2);
  });

  it.each([
    [['--relay', 'nowhere'], '--relay is not host:port but "nowhere"'],
    [['--relay', 'a:1', 'b:2', 'c:3'], '--relay has more than two entries'],
    [['--listen', 'decoder:9000'], '--listen names the host "decoder"; an egress edge listens: write an IP'],
    [['--listen', '9000'], '--listen is not ip:port or [ipv6]:port but "9000"'],
    [['--forward', '127.0.0.1:0'], '--forward has port 0'],
    [['--fingerprint', 'abc'], '--fingerprint is not a SHA-256'],
    [['--name', ''], '--name is empty'],
  ])('makes no config that an edge would refuse: %j', async (flags, problem) => {
    const { error, out } = await run('keygen', ...flags);
    expect(String(error)).toContain(`AppError: ${problem}`);
    expect(String(error).split('\n')).toHaveLength(1);
    expect(exitCodeOf(error)).toBe(2);
    expect(out).toBe('');
  });

  it('names every wrong flag at once', async () => {
    const { error } = await run('keygen', '--relay', 'nowhere', '--listen', '::1:5', '--forward', 'x');
    expect(String(error).match(/--\w+ is not/g)).toEqual(['--listen is not', '--relay is not', '--forward is not']);
  });

  it('gives secrets that make valid tokens', async () => {
    await run('keygen', '--out', folder);
    const { id, bind_secret } = (read('relay.json') as { tunnels: [{ id: TunnelId; bind_secret: string }] }).tunnels[0];
    expect((await run('token', '--secret', bind_secret, '--tunnel', id, '--direction', 'ingress')).out).toBe(
      `${computeBindToken(bind_secret, id, 'ingress')}\n`,
    );
  });
});
