import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const script = resolve(import.meta.dirname, '../../bin/adit');
const systemPath = '/usr/bin:/bin';

let directory: string;
let root: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'adit-bin-'));
  root = join(directory, 'a checkout');
  await mkdir(join(root, 'bin'), { recursive: true });
  await copyFile(script, join(root, 'bin/adit'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, path: string, ...args: string[]): Promise<Outcome> {
  return runWith({ PATH: path }, file, ...args);
}

function runWith(env: Readonly<Record<string, string>>, file: string, ...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(file, args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** A program called `node` that answers `version` to -v and otherwise prints its arguments, one a line. */
async function fakeNode(folder: string, version: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = `#!/bin/sh\nif [ "$1" = -v ]; then echo ${version}; else printf '%s\\n' "$@"; fi\n`;
  await writeFile(join(folder, 'node'), text);
  await chmod(join(folder, 'node'), 0o755);
}

function installPackages(): Promise<string | undefined> {
  return mkdir(join(root, 'node_modules/commander'), { recursive: true });
}

describe('bin/adit', () => {
  it('runs the program of its checkout, called through a symbolic link from anywhere', async () => {
    const link = join(directory, 'adit');
    await symlink(script, link);
    expect(await run(link, systemPath, '--version')).toEqual({
      code: 0,
      stdout: `${packageJson.version}\n`,
      stderr: '',
    });
  });

  it('ends quietly when the reader of its output has read enough', async () => {
    const pipe = `"${script}" status --watch 0.1 --url http://127.0.0.1:9 | head -n 1`;
    const { stdout, stderr } = await run('/bin/sh', systemPath, '-c', pipe);
    expect(stdout).toContain('nothing answers at http://127.0.0.1:9');
    expect(stderr).toBe('');
  });

  it('says to run npm ci where packages are missing', async () => {
    const { code, stderr } = await run(join(root, 'bin/adit'), systemPath);
    expect(code).toBe(69);
    expect(stderr).toContain("run 'npm ci'");
  });

  it.each([20, 24, 30])('L2 with room for only %i open files it says so in one line, and what to do', async (limit) => {
    const { code, stderr } = await run('/bin/sh', systemPath, '-c', `ulimit -n ${limit}; "${script}" relay`);
    expect(code).toBe(69);
    expect(stderr).toBe(
      `adit: only ${limit} files may be open at once; raise it: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit\n`,
    );
  });

  it('prefers the node that npm ci installed, and passes arguments on as they are', async () => {
    await installPackages();
    await fakeNode(join(root, 'node_modules/.bin'), 'v24.1.0');
    await fakeNode(join(directory, 'path'), 'v26.0.0');
    const { code, stdout } = await run(join(root, 'bin/adit'), `${directory}/path:${systemPath}`, 'relay', 'a  b', '*');
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(-5)).toEqual([join(root, 'src/main.ts'), 'relay', 'a  b', '*', '']);
  });

  it('takes a new enough node from PATH where none was installed', async () => {
    await installPackages();
    await fakeNode(join(directory, 'path'), 'v24.0.0');
    const { code, stdout } = await run(join(root, 'bin/adit'), `${directory}/path:${systemPath}`, 'edge');
    expect(code).toBe(0);
    expect(stdout).toContain('src/main.ts\nedge\n');
  });

  it('names the node that is too old, and what to do', async () => {
    await installPackages();
    await fakeNode(join(directory, 'path'), 'v20.20.2');
    const { code, stderr } = await run(join(root, 'bin/adit'), `${directory}/path:${systemPath}`, 'relay');
    expect(code).toBe(69);
    expect(stderr).toContain('node is v20.20.2');
    expect(stderr).toContain('install Node 24');
  });
});

describe('the cache of compiled code that bin/adit gives to Node', () => {
  /** What NODE_COMPILE_CACHE is for the program; empty where there is no cache. */
  async function cacheOf(env: Readonly<Record<string, string>>): Promise<string> {
    await installPackages();
    const node = join(root, 'node_modules/.bin/node');
    await mkdir(join(root, 'node_modules/.bin'), { recursive: true });
    const text = `#!/bin/sh\nif [ "$1" = -v ]; then echo v24.1.0; else printf %s "$NODE_COMPILE_CACHE"; fi\n`;
    await writeFile(node, text, { mode: 0o755 });
    const { code, stdout, stderr } = await runWith({ PATH: systemPath, ...env }, join(root, 'bin/adit'), 'relay');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  it('is made in the home folder, for its user alone', async () => {
    const folder = join(directory, '.cache/adit');
    expect(await cacheOf({ HOME: directory })).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('is where systemd, XDG_CACHE_HOME or a variable of Node puts it', async () => {
    const xdg = join(directory, 'xdg');
    const systemd = join(directory, 'systemd');
    expect(await cacheOf({ HOME: directory, XDG_CACHE_HOME: xdg })).toBe(join(xdg, 'adit'));
    expect(await cacheOf({ HOME: directory, XDG_CACHE_HOME: xdg, CACHE_DIRECTORY: systemd })).toBe(systemd);
    expect(await cacheOf({ HOME: directory, NODE_COMPILE_CACHE: 'own' })).toBe('own');
  });

  it('is none where others can write, where a link leads elsewhere, or where no folder can be made', async () => {
    const folder = join(directory, 'adit');
    await mkdir(folder);
    for (const mode of [0o720, 0o702]) {
      await chmod(folder, mode);
      expect(await cacheOf({ XDG_CACHE_HOME: directory })).toBe('');
    }
    await chmod(folder, 0o755);
    expect(await cacheOf({ XDG_CACHE_HOME: directory })).toBe(folder);
    await rename(folder, join(directory, 'elsewhere'));
    await symlink(join(directory, 'elsewhere'), folder);
    expect(await cacheOf({ XDG_CACHE_HOME: directory })).toBe('');
    expect(await cacheOf({ XDG_CACHE_HOME: 'relative' })).toBe('');
    expect(await cacheOf({ HOME: script })).toBe('');
    expect(await cacheOf({})).toBe('');
  });
});
