import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AppError, type AppErrorCode } from '../../lib/app-error.ts';
import type { ValidObserverConfig } from './observer-config.ts';

export interface ConfigRequest {
  readonly path: string | null;
  readonly flags: Readonly<Record<string, unknown>>;
}

export type ConfigAnswer =
  ValidObserverConfig | { readonly kind: 'failed'; readonly code: AppErrorCode; readonly message: string };

const reader = fileURLToPath(new URL('./config-reader.ts', import.meta.url));
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * `loadObserverConfig` in a process of its own. Otherwise the schema library and the schemas would stay in memory: 6 MB
 * that an observer uses for nothing else. Rejects as `loadObserverConfig` does.
 */
export async function readConfigApart(
  path: string | null,
  flags: Readonly<Record<string, unknown>>,
): Promise<ValidObserverConfig> {
  const answer = JSON.parse(await ask(JSON.stringify({ path, flags }))) as ConfigAnswer;
  if (answer.kind === 'failed') throw new AppError(answer.code, answer.message);
  return { ...answer, config: Object.freeze(answer.config) };
}

function ask(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = [...process.execArgv, reader];
    const child = execFile(process.execPath, args, { maxBuffer: maxAnswerBytes }, (cause, answer) => {
      if (cause === null) resolve(answer);
      else reject(new AppError('unavailable', 'the process that reads the config has failed', { cause }));
    });
    // A reader that could not start has said so above.
    child.stdin?.on('error', () => undefined).end(request);
  });
}
