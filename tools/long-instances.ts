import process from 'node:process';
import { cutOne, killOne, stopOne } from '../test/support/manager/instance-faults.ts';
import { InstanceTrial } from '../test/support/manager/instance-trial.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:instances`: three managers on one PostgreSQL with 300 nodes (or as many as the first argument says). One
 * is killed, one stands still for 60 s, one is cut from the database.
 */
const [nodes] = readCounts('long:instances -- [nodes]', [300]);
const stillMs = 60_000;
/** Milliseconds until the nodes of that instance are online elsewhere. */
const bounds = { killed: 20_000, stopped: 20_000, cut: 45_000 };

await using trial = await InstanceTrial.start({ nodes });
await trial.settled();
const killed = await killOne(trial);
await trial.settled();
const stopped = await stopOne(trial, stillMs);
await trial.settled();
const cut = await cutOne(trial);
await trial.settled();
const { missing, ...ledger } = await trial.ledger();
process.stdout.write(
  `${JSON.stringify({ nodes, killed, stopped, cut, events: { ...ledger, missing: missing.length } }, null, 2)}\n`,
);
const late = killed.movedMs > bounds.killed || stopped.movedMs > bounds.stopped || cut.movedMs > bounds.cut;
if (late || missing.length > 0 || ledger.doubled > 0) process.exitCode = 1;
