import process from 'node:process';
import { errorMessage } from '../src/lib/app-error.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { createLogger } from '../src/lib/logger.ts';
import { SystemRandom } from '../src/lib/random.ts';
import { createEngine } from '../src/quic/engine.ts';
import type { EdgeReply, EdgeRequest } from './edge/edge-calls.ts';
import { EdgeWork } from './edge/edge-work.ts';

/** The process that plays edges, so that the relay's is measured alone. Started by edge-process.ts with its folder and its engine. */
const [folder = '.', engineName] = process.argv.slice(2);
const dependencies = {
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger: createLogger({ level: 'warn' }),
};
const engine = await createEngine(engineName === 'native' ? 'native' : 'quiche', dependencies);
const work = new EdgeWork({ ...dependencies, engine }, folder);

async function answer({ id, name, args }: EdgeRequest): Promise<EdgeReply> {
  // Name and arguments were paired by `EdgeProcess.call`; the types of a pair do not survive the pipe.
  const action = work[name].bind(work) as (args: unknown) => Promise<unknown>;
  try {
    return { id, kind: 'done', result: await action(args) };
  } catch (error) {
    return { id, kind: 'failed', reason: errorMessage(error) };
  }
}

process.on('message', (request: EdgeRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// The benchmark is gone, and nothing else would end this process.
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
