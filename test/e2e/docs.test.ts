import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { until } from '../support/until.ts';

const repository = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** What a reader is told to type: the blocks marked `sh`, those inside lists too. */
function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^( *)```sh(?: background)?\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', commands = '']) => commands.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** A checkout as a user has it after `npm ci`, and a shell in it. */
class Reader implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'adit-docs-'));
  readonly #running: ChildProcess[] = [];

  constructor() {
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: repository, encoding: 'utf8' });
    for (const file of files.split('\n').filter(Boolean)) cpSync(join(repository, file), join(this.folder, file));
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
  }

  type(command: string): string {
    return execFileSync('bash', ['-euo', 'pipefail', '-c', command], { cwd: this.folder, encoding: 'utf8' });
  }

  /** Resolves when the program has said that it started. */
  async startInBackground(command: string): Promise<string> {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#running.push(child);
    let output = '';
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    return until(() => (/(relay|edge) started/.test(output) ? output : null), {
      what: `${command} says that it started`,
      timeoutMs: 30_000,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true });
  }
}

/** The commands of README.md, in order; the first one is what .ci/run and the demo's own test run. */
function readmeCommands() {
  const [install = '', make = '', relay = '', check = '', egress = '', ingress = '', look = '', ...others] =
    shellBlocks(read('README.md'));
  expect(install).toMatch(/^npm ci && npm run demo .*\nnpm cit .*\n$/);
  expect(others).toEqual([]);
  return { make, relay, check, egress, ingress, look };
}

describe('the documentation, tried as a new user would', () => {
  it('README: a deployment comes up as it says, here with all three machines in one', async () => {
    const [quic, listen, forward, api] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const onThisMachine = (command: string): string =>
      command
        .replaceAll('relay.example:4433', `127.0.0.1:${quic}`)
        .replaceAll('127.0.0.1:5000', `127.0.0.1:${listen}`)
        .replaceAll('127.0.0.1:5001', `127.0.0.1:${forward}`)
        .replaceAll(/bin\/adit (status|why)/g, `bin/adit $1 --url http://127.0.0.1:${api}`);
    await using reader = new Reader();
    const { make, relay, check, egress, ingress, look } = readmeCommands();
    reader.type(onThisMachine(make));
    // The relay's default ports may be taken on a machine that runs tests.
    reader.type(`sed -i '1a "quic_addrs": ["127.0.0.1:${quic}"], "api_addrs": ["127.0.0.1:${api}"],' relay.json`);
    const started = await reader.startInBackground(relay);
    const certificate = /"certificate_sha256":"([0-9a-f]{64})"/.exec(started)?.[1] ?? '';
    reader.type(`sed -i 's/"relay_addrs"/"relay_fingerprint": "${certificate}", "relay_addrs"/' edge-*.json`);
    const checked = reader.type(check);
    expect(checked.match(/is a sound config of (a relay|an edge)/g)).toHaveLength(3);
    expect(checked).not.toContain('warning');
    await reader.startInBackground(egress);
    await reader.startInBackground(ingress);
    const says = (words: string) => async (): Promise<boolean> => reader.type(onThisMachine(look)).includes(words);
    await until(says('Both legs are there'), { what: 'the tunnel is up', timeoutMs: 60_000, pollMs: 500 });
    expect(reader.type(onThisMachine(look))).toMatch(/1 of 1 tunnels active/);
  });

  it.each(['docs/operations.md', 'docs/protocol.md'])('%s: its commands run', async (path) => {
    await using reader = new Reader();
    const blocks = shellBlocks(read(path));
    expect(blocks.length).toBeGreaterThan(0);
    for (const command of blocks) expect(reader.type(command)).not.toBe('');
  });

  it('protocol.md prints the tokens that the command prints', async () => {
    await using reader = new Reader();
    const page = read('docs/protocol.md');
    const printed = reader.type(shellBlocks(page)[0] ?? '');
    expect(page).toContain(`\`\`\`text\n${printed}\`\`\``);
  });

  it.each(['README.md', 'CONTRIBUTING.md', 'docs/operations.md', 'docs/architecture.md'])(
    '%s links to what is there, and names scripts that exist',
    (path) => {
      const page = read(path);
      const folder = join(repository, path, '..');
      for (const [, target = ''] of page.matchAll(/\]\(((?!http)[^)#]+)\)/g)) readFileSync(join(folder, target));
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
      for (const [, name = ''] of page.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty(name);
    },
  );
});
