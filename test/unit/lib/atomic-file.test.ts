import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, errorMessage } from '../../../src/lib/app-error.ts';
import { type FileSystem, type OpenFile, realFileSystem, writeFileAtomically } from '../../../src/lib/atomic-file.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'adit-atomic-file-'));
  path = join(directory, 'config.json');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

type Step = 'open' | 'write' | 'chown' | 'chmod' | 'sync' | 'close' | 'rename' | 'sync directory' | 'unlink' | 'mode';

/** The real file system, except that the named steps fail; notes the steps that were taken. */
function failingAt(...failing: Step[]) {
  const steps: Step[] = [];
  const step = async <Result>(name: Step, work: () => Promise<Result>): Promise<Result> => {
    steps.push(name);
    if (failing.includes(name)) throw new Error(`${name} failed`);
    return work();
  };
  const fileSystem: FileSystem = {
    ...realFileSystem,
    open: (openPath, flags, mode) =>
      step('open', async () => watched(await realFileSystem.open(openPath, flags, mode), flags)),
    rename: (from, to) => step('rename', () => realFileSystem.rename(from, to)),
    unlink: (unlinkPath) => step('unlink', () => realFileSystem.unlink(unlinkPath)),
  };
  function watched(file: OpenFile, flags: string): OpenFile {
    if (flags === 'r') return { ...fileOf(file), sync: () => step('sync directory', () => file.sync()) };
    return {
      writeFile: (data) => step('write', () => file.writeFile(data)),
      chown: (uid, gid) => step('chown', () => file.chown(uid, gid)),
      chmod: (mode) => step('chmod', () => file.chmod(mode)),
      sync: () => step('sync', () => file.sync()),
      close: async () => {
        await file.close();
        await step('close', () => Promise.resolve());
      },
    };
  }
  return { fileSystem, steps };
}

function fileOf(file: OpenFile): OpenFile {
  return {
    writeFile: (data) => file.writeFile(data),
    chown: (uid, gid) => file.chown(uid, gid),
    chmod: (mode) => file.chmod(mode),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

describe('writeFileAtomically', () => {
  it('makes a new file that only its owner can read', async () => {
    await writeFileAtomically(path, '{"a":1}');
    expect(await readFile(path, 'utf8')).toBe('{"a":1}');
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(directory)).toEqual(['config.json']);
  });

  it('replaces a file and keeps its mode', async () => {
    await writeFile(path, 'old and longer');
    await chmod(path, 0o664);
    await writeFileAtomically(path, Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await modeOf(path)).toBe(0o664);
  });

  it('leaves a file to its owner, where it may', async () => {
    await writeFile(path, 'old');
    const owned = { uid: 1234, gid: 5678, mode: 0o640 };
    const given: [number, number][] = [];
    const { fileSystem } = failingAt();
    await writeFileAtomically(path, 'new', {
      ...fileSystem,
      accessOf: () => Promise.resolve(owned),
      open: async (openPath, flags, mode) => ({
        ...fileOf(await fileSystem.open(openPath, flags, mode)),
        chown: async (uid, gid) => void given.push([uid, gid]),
      }),
    });
    expect(given).toEqual([[1234, 5678]]);
    expect(await modeOf(path)).toBe(0o640);
    await writeFileAtomically(path, 'newer', failingAt('chown').fileSystem);
    expect(await readFile(path, 'utf8')).toBe('newer');
  });

  it('replaces what a symbolic link points to, not the link', async () => {
    const link = join(directory, 'link.json');
    await writeFile(path, 'old');
    await symlink(path, link);
    await writeFileAtomically(link, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await readdir(directory, { withFileTypes: true })).find((entry) => entry.isSymbolicLink())?.name).toBe(
      'link.json',
    );
  });

  it('syncs the content before the rename and the directory after it', async () => {
    const { fileSystem, steps } = failingAt();
    await writeFileAtomically(path, 'x', fileSystem);
    expect(steps).toEqual(['open', 'write', 'chmod', 'sync', 'close', 'rename', 'open', 'sync directory']);
  });

  it.each<Step>(['open', 'write', 'chmod', 'sync', 'close', 'rename'])(
    'leaves the old content and no other file when %s fails',
    async (failing) => {
      await writeFile(path, 'old');
      const failure: unknown = await writeFileAtomically(path, 'new', failingAt(failing).fileSystem).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(AppError);
      expect(failure).toMatchObject({ code: 'io-failed' });
      expect(errorMessage(failure)).toBe(`could not write ${path}: ${failing} failed`);
      expect(await readFile(path, 'utf8')).toBe('old');
      expect(await readdir(directory)).toEqual(['config.json']);
    },
  );

  it('tells when the rename may not be durable, with the new content in place', async () => {
    await writeFile(path, 'old');
    await expect(writeFileAtomically(path, 'new', failingAt('sync directory').fileSystem)).rejects.toThrow(AppError);
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('tells both failures when a temporary file could not be removed', async () => {
    await writeFile(path, 'old');
    const failure: unknown = await writeFileAtomically(path, 'new', failingAt('rename', 'unlink').fileSystem).catch(
      (error: unknown) => error,
    );
    expect(errorMessage(failure)).toMatch(/left behind: rename failed$/);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  it('rejects where the directory does not exist', async () => {
    await expect(writeFileAtomically(join(directory, 'none', 'x'), '')).rejects.toMatchObject({ code: 'io-failed' });
  });

  it('rejects where the path leads through a file', async () => {
    await writeFile(path, '');
    await expect(writeFileAtomically(join(path, 'x'), '')).rejects.toMatchObject({ code: 'io-failed' });
  });
});
