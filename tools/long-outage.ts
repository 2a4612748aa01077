import process from 'node:process';
import { builtEngines } from '../test/support/programs/engines.ts';
import { runOutage } from '../test/support/programs/outage.ts';

/** `npm run long:outage`: the manager is away for two minutes while 5 000 edges come and go and the relay is killed. */
for (const engine of await builtEngines()) {
  const result = await runOutage({ engine, edges: 5_000, atOnce: 50, awayMs: 120_000 });
  const { raised, missing, ...rest } = result;
  process.stdout.write(`${JSON.stringify({ engine, raised: raised.length, missing, ...rest }, null, 2)}\n`);
  if (missing.length > 0 || result.differentRepeats > 0) process.exitCode = 1;
}
