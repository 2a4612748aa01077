import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { edgeSecretFiles, parseEdgeConfig, type EdgeConfig } from '../edge/config/edge-config.ts';
import { AppError } from '../lib/app-error.ts';
import { formatProblem, type ConfigProblem } from '../config/config-problem.ts';
import { exposedWarnings } from '../config/exposed-secrets.ts';
import { readJsonFile } from '../config/json-file.ts';

export interface LoadedEdgeConfig {
  readonly config: EdgeConfig;
  readonly warnings: readonly ConfigProblem[];
}

/** Reads and checks edge.json. Rejects with AppError `config-invalid` that lists every problem, one a line. */
export async function loadEdgeConfig(path: string): Promise<LoadedEdgeConfig> {
  const parsed = parseEdgeConfig(await readJsonFile(path), { directory: dirname(resolve(path)), hostname: hostname() });
  if (parsed.kind === 'valid') {
    return { ...parsed, warnings: [...parsed.warnings, ...exposedWarnings(edgeSecretFiles(path, parsed.config))] };
  }
  throw new AppError('config-invalid', [`${path}:`, ...parsed.problems.map(formatProblem)].join('\n  '));
}
