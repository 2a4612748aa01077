import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';

const fileTarget = new URL('../../../src/lib/log-target/file-target.ts', import.meta.url).href;
/** Writes each line that comes in, and prints what became of it. */
const writer = `
  import { createInterface } from 'node:readline';
  import { FileTarget } from ${JSON.stringify(fileTarget)};
  const target = new FileTarget({ path: process.argv[1], maxBytes: 1e6, maxBackups: 1 });
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(await target.write(line).then(() => 'written', (error) => error.message));
  }
`;
const limits = spawnSync('prlimit', ['--version']).status === 0;

/** A limit on the size of files acts as a full disk does: what fits is written, and then nothing more. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  expect(spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]).status).toBe(0);
}

interface Writer {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly path: string;
}

/** With `bytes`, files are limited from the start. */
function startWriter(bytes: number | 'unlimited' = 'unlimited'): Writer {
  const folder = mkdtempSync(join(tmpdir(), 'adit-short-write-'));
  const path = join(folder, 'events.json');
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', writer, path];
  const child = spawn('prlimit', [`--fsize=${bytes}:unlimited`, process.execPath, ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, path };
}

describe.runIf(limits)('a log file that takes only a part of a line', () => {
  it('fails the write, and has whole lines once there is room', async () => {
    const { child, path } = startWriter();
    const said = async (): Promise<string> => String(((await once(child.stdout, 'data')) as [Buffer])[0]).trim();
    const write = (line: string): Promise<string> => {
      const answer = said();
      child.stdin.write(`${line}\n`);
      return answer;
    };
    expect(await said()).toBe('ready');
    expect(await write('one')).toBe('written');
    limitFiles(child.pid ?? 0, 7);
    expect(await write('second')).toBe(`${path} took 3 of the 7 bytes of a line`);
    limitFiles(child.pid ?? 0, 'unlimited');
    expect(await write('third')).toBe('written');
    expect(readFileSync(path, 'utf8')).toBe('one\nthird\n');
  });

  it('notices it at the first line, too', async () => {
    const { child, path } = startWriter(3);
    child.stdin.end('first\n');
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    expect(output).toBe(`ready\n${path} took 3 of the 6 bytes of a line\n`);
  });
});
