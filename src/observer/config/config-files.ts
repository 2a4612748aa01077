import type { ConfigProblem } from '../../config/config-problem.ts';
import { folderProblems } from '../../config/writable-folder.ts';
import { dirname } from 'node:path';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { ObserverConfig } from './observer-config.ts';
import { readBeatKeys, readHexSecret, readSecretFile } from './secret-file.ts';

/** What is wrong with the files that a config names: secrets, and folders that are written to. */
export async function checkObserverFiles(config: ObserverConfig): Promise<readonly ConfigProblem[]> {
  const { prom_token_file: token, recovery_exec_file: command } = config;
  const written = ['socket', 'recovery_audit_file', 'export_file', 'heartbeat_file'] as const;
  const problems = await Promise.all([
    problemOf(() => readBeatKeys(config)),
    problemOf(async () => token !== null && (await readHexSecret('prom_token_file', token))),
    problemOf(async () => command !== null && (await readSecretFile('recovery_exec_file', command))),
    ...written.map((key) => {
      const path = config[key];
      return path === null ? [] : folderProblems(key, dirname(path));
    }),
  ]);
  return problems.flat();
}

async function problemOf(read: () => Promise<unknown>): Promise<readonly ConfigProblem[]> {
  try {
    await read();
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [path = '', ...problem] = errorMessage(error).split(' ');
    return [{ path, problem: problem.join(' '), remedy: '' }];
  }
}
