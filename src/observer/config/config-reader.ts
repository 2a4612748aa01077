import { text } from 'node:stream/consumers';
import process from 'node:process';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { loadObserverConfig } from './observer-config.ts';
import type { ConfigAnswer, ConfigRequest } from './read-config-apart.ts';

/** The program behind `readConfigApart`: a ConfigRequest on standard input, a ConfigAnswer on standard output. */
async function answer({ path, flags }: ConfigRequest): Promise<ConfigAnswer> {
  try {
    return await loadObserverConfig(path, flags);
  } catch (error) {
    if (error instanceof AppError) return { kind: 'failed', code: error.code, message: errorMessage(error) };
    throw error;
  }
}

const request = JSON.parse(await text(process.stdin)) as ConfigRequest;
process.stdout.write(JSON.stringify(await answer(request)));
