import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { LocalUdpSocket } from '../support/peers/local-udp.ts';
import { pages, readPage, shellBlocks } from '../support/markdown.ts';
import { Reader } from '../support/programs/reader.ts';
import { until } from '../support/until.ts';

/** The commands of README.md, in order; the first block is what .ci/run and the demo's own test run. */
function readmeCommands() {
  const [install = '', make = '', check = '', relay = '', egress = '', ingress = '', look = '', ...others] =
    shellBlocks(readPage('README.md'));
  expect(install).toMatch(/^npm ci && npm run demo .*\nnpm cit .*\n$/);
  expect(others).toEqual([]);
  return { make, check, relay, egress, ingress, look };
}

describe('the documentation, tried as a new user would', () => {
  it('README: a deployment comes up as it says and carries datagrams, here with all three machines in one', async () => {
    await using decoder = await LocalUdpSocket.open();
    await using camera = await LocalUdpSocket.open();
    const [quic, listen, api, ...edgeApis] = await Promise.all(Array.from({ length: 5 }, () => freePort()));
    const onThisMachine = (command: string): string =>
      command
        .replaceAll('relay.example:4433', `127.0.0.1:${quic}`)
        .replaceAll('127.0.0.1:5000', `127.0.0.1:${listen}`)
        .replaceAll('127.0.0.1:5001', decoder.addr)
        .replaceAll(/bin\/adit (status|why)$/gm, `bin/adit $1 --config site/relay.json`);
    await using reader = new Reader();
    const { make, check, relay, egress, ingress, look } = readmeCommands();
    reader.type(onThisMachine(make));
    reader.change('site/relay.json', { quic_addrs: [`127.0.0.1:${quic}`], api_addrs: [`127.0.0.1:${api}`] });
    reader.change('site/edge-egress.json', { api_addr: `127.0.0.1:${edgeApis[0]}` });
    reader.change('site/edge-ingress.json', { api_addr: `127.0.0.1:${edgeApis[1]}` });
    const checked = reader.type(check);
    expect(checked.match(/is a sound config of (a relay|an edge)/g)).toHaveLength(3);
    expect(checked).not.toContain('warning');
    await reader.startInBackground(relay);
    await reader.startInBackground(egress);
    await reader.startInBackground(ingress);
    // `adit why` ends with the status of a problem until the tunnel is up, and while the machine is too busy.
    const lookAtAll = (): string => reader.type(onThisMachine(look).replaceAll('\n', ' || true\n'));
    const says = (words: string) => async (): Promise<boolean> => lookAtAll().includes(words);
    await until(says('Both legs are there'), { what: 'the tunnel is up', pollMs: 500 });
    const looked = lookAtAll();
    expect(looked).toMatch(/1 of 1 tunnels active/);
    expect(looked).toContain('✓ The tunnel is up through');
    camera.send(Buffer.from('a frame'), Number(listen));
    await until(() => decoder.received.length > 0, { what: 'the datagram at the decoder' });
    expect(decoder.received.map(String)).toEqual(['a frame']);
  });

  it('README: git, the npm package and the formatter leave the files with secrets alone', async () => {
    await using reader = new Reader();
    reader.type(readmeCommands().make);
    const made = globSync('site/**/*', { cwd: reader.folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(reader.folder, join(entry.parentPath, entry.name)));
    expect(made).toContain('site/edge-egress.json');
    reader.type('git init -q .');
    expect(reader.type('git status --porcelain --untracked-files=all')).not.toMatch(/^\S+ site\//m);
    expect(reader.type('npm pack --dry-run --json --ignore-scripts')).not.toContain('"site/');
    expect(reader.type(`npx prettier --list-different ${made.join(' ')} && echo none`)).toBe('none\n');
  });

  it('git, the npm package and the formatter leave every folder alone that a page has keygen write', async () => {
    await using reader = new Reader();
    reader.type('git init -q .');
    const commands = pages().flatMap((path) => readPage(path).match(/bin\/adit keygen [^`]*?--out \S+/g) ?? []);
    const folders = new Set(commands.map((command) => command.split(' ').at(-1) ?? ''));
    expect(folders.size).toBeGreaterThan(2);
    for (const folder of folders) {
      reader.save(`${folder}/relay.json`, '{"a":1}');
      expect(reader.type(`git check-ignore ${folder}/relay.json`)).toBe(`${folder}/relay.json\n`);
      expect(reader.type(`npx prettier --list-different ${folder}/relay.json && echo none`)).toBe('none\n');
    }
    expect(reader.type('npm pack --dry-run --json --ignore-scripts')).not.toContain('/relay.json"');
  });

  it.each(['docs/install.md', 'docs/operations.md', 'docs/protocol/tunnel.md', 'examples/srt.md'])(
    '%s: its commands run',
    async (path) => {
      await using reader = new Reader();
      const blocks = shellBlocks(readPage(path));
      expect(blocks.length).toBeGreaterThan(0);
      for (const command of blocks) expect(reader.type(command)).not.toBe('');
    },
  );

  it('docs/observer.md: the observer starts as it says', async () => {
    await using reader = new Reader();
    const [start = '', ...others] = shellBlocks(readPage('docs/observer.md'));
    expect(others).toEqual([]);
    await reader.startInBackground(start);
  });

  it('the tunnel protocol prints the tokens that the command prints', async () => {
    await using reader = new Reader();
    const page = readPage('docs/protocol/tunnel.md');
    const printed = reader.type(shellBlocks(page)[0] ?? '');
    expect(page).toContain(`\`\`\`text\n${printed}\`\`\``);
  });

  it('CONTRIBUTING.md: its commands are checks that .ci/run carries out', () => {
    const checks = /^for check in (.*); do$/m.exec(readPage('.ci/run'))?.[1]?.split(' ') ?? [];
    const [block = '', ...others] = shellBlocks(readPage('CONTRIBUTING.md'));
    expect(others).toEqual([]);
    for (const line of block.trim().split('\n')) expect(checks).toContain(/^npm run (\S+)$/.exec(line)?.[1]);
  });

  it('no other page has commands', () => {
    const run = [
      // test/e2e/first-fleet.test.ts
      'docs/first-fleet.md',
      ...['README.md', 'CONTRIBUTING.md', 'docs/install.md', 'docs/observer.md', 'docs/operations.md'],
      ...['docs/protocol/tunnel.md', 'examples/srt.md'],
    ];
    expect(
      pages()
        .filter((path) => shellBlocks(readPage(path)).length > 0)
        .toSorted(),
    ).toEqual(run.toSorted());
  });
});
