import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigProblem } from './config-problem.ts';

/** Whether files can be made in a folder that may not be there yet; the key that names it, for people. */
export async function folderProblems(key: string, folder: string): Promise<readonly ConfigProblem[]> {
  const existing = await nearestExisting(folder);
  try {
    if (!(await stat(existing)).isDirectory()) {
      return [{ path: key, problem: `leads through ${existing}, which is a file`, remedy: 'name a folder' }];
    }
    await access(existing, constants.W_OK);
    return [];
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const remedy = `make ${existing} writable for the user that runs this program, or name another folder`;
    return [{ path: key, problem: `cannot be written (${reason})`, remedy }];
  }
}

/** As `folderProblems`, of each folder under the key that names it; null where there is none to write in. */
export async function foldersProblems(
  folders: Readonly<Record<string, string | null>>,
): Promise<readonly ConfigProblem[]> {
  const problems = await Promise.all(
    Object.entries(folders).map(async ([key, folder]) => (folder === null ? [] : folderProblems(key, folder))),
  );
  return problems.flat();
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await access(path, constants.F_OK);
    return path;
  } catch {
    // The root is always there, so this ends.
    return dirname(path) === path ? path : nearestExisting(dirname(path));
  }
}
