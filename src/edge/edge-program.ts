import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { createEngine } from '../quic/engine.ts';
import type { EngineName } from '../quic/types.ts';
import type { EdgeConfig } from './edge-config.ts';
import { EdgeObserver } from './edge-observer.ts';
import { createEdge } from './edge.ts';

export interface EdgeProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
}

/** An edge that runs, with all that it needs of the machine. */
export interface EdgeProgram {
  readonly engine: EngineName;
  /** `ip:port` of the REST API, with the real port; empty without one. */
  readonly apiAddresses: readonly string[];
  /** Resets what is open and frees sockets and addresses. Idempotent. */
  stop(): Promise<void>;
}

/** Starts everything that an edge is made of; nothing is left behind when it rejects (AppError). */
export async function startEdgeProgram(
  config: EdgeConfig,
  dependencies: EdgeProgramDependencies,
): Promise<EdgeProgram> {
  await using starting = new AsyncDisposableStack();
  const engine = await createEngine(config.quic.engine, dependencies);
  starting.defer(() => engine.close());
  const edge = createEdge(config, {
    ...dependencies,
    engine,
    resolveHost,
    readTextFile: (path) => readFile(path, 'utf8'),
    onEvent: () => undefined,
  });
  const observer = new EdgeObserver(edge, config, { ...dependencies, engine, managerConnected: () => null });
  starting.defer(() => observer.stop());
  starting.defer(() => edge.stop());
  await edge.start();
  await observer.start();
  const running = starting.move();
  return { engine: engine.name, apiAddresses: observer.addresses, stop: () => running.disposeAsync() };
}

async function resolveHost(host: string): Promise<readonly string[]> {
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}
