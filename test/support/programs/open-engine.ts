import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { startEngine } from './engines.ts';

/** An engine for one test, closed by `await using`. */
export async function openEngine(name: EngineName): Promise<EdgeEngine & AsyncDisposable> {
  const engine = await startEngine(name);
  return Object.assign(engine, { [Symbol.asyncDispose]: () => engine.close() });
}
