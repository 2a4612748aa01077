import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineName } from '../../../src/manager/store/open-database.ts';
import { PostgresServer } from './postgres-server.ts';

/** Hands out the URLs of empty databases of one engine. */
export interface Databases extends AsyncDisposable {
  readonly engine: EngineName;
  newUrl(): Promise<string>;
}

export const engines: readonly EngineName[] = ['sqlite', 'postgres'];

export async function openDatabases(engine: EngineName): Promise<Databases> {
  if (engine === 'postgres') {
    const server = await PostgresServer.start();
    return { engine, newUrl: () => server.newDatabase(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const folder = await mkdtemp(join(tmpdir(), 'adit-sqlite-'));
  let count = 0;
  return {
    engine,
    newUrl: () => Promise.resolve(`sqlite:${join(folder, `${++count}`, 'manager.db')}`),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
