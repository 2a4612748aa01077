import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage } from '../../lib/app-error.ts';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { foldersProblems } from '../../config/writable-folder.ts';
import type { EdgeConfig } from './edge-config.ts';

/** What is wrong with the files and folders that an edge's config names; touches none of them. */
export async function checkEdgeFiles(config: EdgeConfig): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const [index, { verifications }] of config.tunnels.entries()) {
    const [verification] = verifications;
    if (verification?.kind !== 'ca') continue;
    problems.push(...(await caProblems(`tunnels[${index}].relay_ca_path`, verification.path)));
  }
  const { manager, stateDir, credentialsPath, jsonLogTarget: target } = config;
  const folders = {
    // Only for what is exchanged with a manager.
    state_dir: manager?.enabled === true ? stateDir : null,
    credentials_path: manager?.enabled === true && credentialsPath !== null ? dirname(credentialsPath) : null,
    'logging.json_target.path': target?.kind === 'file' ? dirname(target.path) : null,
  };
  return [...problems, ...(await foldersProblems(folders))];
}

async function caProblems(path: string, file: string): Promise<readonly ConfigProblem[]> {
  try {
    new X509Certificate(await readFile(file));
    return [];
  } catch (error) {
    const problem = `cannot be used: ${errorMessage(error)}`;
    return [{ path, problem, remedy: 'name the PEM certificate of the authority, readable' }];
  }
}
