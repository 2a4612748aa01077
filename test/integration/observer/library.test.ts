import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const execute = promisify(execFile);

async function run(code: string): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code];
  return (await execute(process.execPath, flags, { cwd: root, timeout: 60_000 })).stdout;
}

async function programOfThePage(): Promise<string> {
  return /```js\n([^]*?)```/.exec(await readFile(`${root}/docs/observer.md`, 'utf8'))?.[1] ?? '';
}

describe('the package as a library', () => {
  it('gives the events of an observer to the program of docs/observer.md', async () => {
    expect(await run(await programOfThePage())).toBe('Beat\nStall\n');
  });

  it('is imported without running the command line, and has no other entries', async () => {
    expect(await run("const names = await import('adit/beat-frame'); console.log(typeof names.decodeBeat);")).toBe(
      'function\n',
    );
    await expect(run("await import('adit/src/main.ts');")).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

/** A compiler runs in each, and the machine may be busy. */
const timeout = 120_000;

describe('the library that npm run package writes', { timeout }, () => {
  let project: string;

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'adit-library-'));
    const tool = join(root, 'tools/package.ts');
    await execute(process.execPath, [tool, '--only', 'library', '--as', '1.2.3', '--out', project], { cwd: root });
    const install = ['install', '--offline', '--omit=optional', '--no-audit', '--no-fund'];
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await execute('npm', [...install, './adit-library-1.2.3.tgz'], { cwd: project });
    // In place of what the registry would bring.
    for (const name of ['koffi', '@types'])
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }, timeout);
  afterAll(() => rm(project, { recursive: true, force: true }));

  it('runs the program of docs/observer.md in a project that installed it, without stripping types', async () => {
    const runHere = async (code: string): Promise<string> => {
      await writeFile(join(project, 'program.js'), code);
      const options = { cwd: project, timeout: 60_000 };
      return (await execute(process.execPath, ['--no-strip-types', 'program.js'], options)).stdout;
    };
    expect(await runHere(await programOfThePage())).toBe('Beat\nStall\n');
    const local = (await programOfThePage())
      .replace('socket: null', "socket: { path: 'beats.sock', mode: 0o600, receiveBufferBytes: 65536 }")
      .replace(/udp: \{.*\}/, 'udp: null');
    const watch = local.replace(/const beat[^]*/, "await observer.stop(); console.log('stopped');");
    expect(await runHere(watch)).toBe('stopped\n');
  });

  it('has types, which a compiler checks against', async () => {
    const program = join(project, 'program.ts');
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--types',
      'node',
      '--module',
      'nodenext',
      '--target',
      'esnext',
    ];
    const check = async (code: string): Promise<void> => {
      await writeFile(program, code);
      await execute(process.execPath, [compiler, ...flags, program]);
    };
    const uses =
      "import { encodeBeat, type BeatReading } from 'adit/beat-frame';\nimport { Observer } from 'adit/observer';\n";
    await check(
      `${uses}export const [start, encode] = [Observer.start, encodeBeat];\nexport type Beat = BeatReading;\n`,
    );
    await expect(check(`${uses}encodeBeat({ status: 'Fine' });\nvoid Observer;\n`)).rejects.toThrow('Command failed');
  });
});
