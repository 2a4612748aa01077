import { flushCompileCache } from 'node:module';
import { backup, DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { receiveMessageOnPort, parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../../lib/clock.ts';
import { collectGarbage } from '../../lib/collect-garbage.ts';
import { LoopGuard, type LoopPulse } from '../../lib/loop-pulse.ts';
import type { FromThread, ThreadData, ToThread } from './sqlite-messages.ts';

/** The one thread that opens the database file. Statements that wait together share one commit, so one sync to disk. */
const maxBatch = 500;
const looksPerLimit = 10;

const port = parentPort;
if (port === null) throw new Error('sqlite-thread runs as a worker thread only');

const { path, loopPulse } = workerData as ThreadData;
const database = open(path);
const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
/** Inside a transaction that the other side began and will end. */
let inTransaction = false;

function open(path: string): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: 0 });
  opened.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=16000`);
  // SQLite's own knows ASCII only: a user named Özgür, or a search for über, would find nothing.
  opened.function('lower', { deterministic: true }, (text) => (typeof text === 'string' ? text.toLowerCase() : text));
  // Takes the exclusive lock now, so that a second opener fails at once.
  opened.exec('BEGIN IMMEDIATE; COMMIT');
  return opened;
}

function prepared(sql: string): ReturnType<DatabaseSync['prepare']> {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  if (statements.size > 500) statements.clear();
  const statement = database.prepare(sql);
  statements.set(sql, statement);
  return statement;
}

function run({ id, sql, parameters }: Extract<ToThread, { kind: 'query' }>): FromThread {
  try {
    const statement = prepared(sql);
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) return { id, rows: statement.all(...values), changes: 0 };
    return { id, rows: [], changes: Number(statement.run(...values).changes) };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

/** Sends the results of one batch only after its commit. A commit that fails fails them all. */
function runBatch(batch: readonly Extract<ToThread, { kind: 'query' }>[]): void {
  const single = inTransaction || batch.length === 1;
  if (single) {
    for (const query of batch) port?.postMessage(run(query));
    return;
  }
  let answers: readonly FromThread[];
  try {
    database.exec('BEGIN');
    answers = batch.map(run);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    answers = batch.map(({ id }) => ({ id, error: messageOf(error) }));
  }
  for (const answer of answers) port?.postMessage(answer);
}

/** BEGIN, COMMIT and ROLLBACK stand between batches. */
function control(query: Extract<ToThread, { kind: 'query' }>): void {
  const answer = run(query);
  inTransaction = database.isTransaction;
  port?.postMessage(answer);
}

function isControl({ sql }: { readonly sql: string }): boolean {
  return /^(begin|commit|rollback|pragma|vacuum)/i.test(sql);
}

async function other(message: Exclude<ToThread, { kind: 'query' }>): Promise<void> {
  try {
    if (message.kind === 'backup') await backup(database, message.path);
    else database.close();
    port?.postMessage({ id: message.id, rows: [], changes: 0 } satisfies FromThread);
  } catch (error) {
    port?.postMessage({ id: message.id, error: messageOf(error) } satisfies FromThread);
  }
  if (message.kind === 'close') port?.close();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Takes what has arrived meanwhile too. */
function drain(first: ToThread): void {
  let batch: Extract<ToThread, { kind: 'query' }>[] = [];
  let next: ToThread | undefined = first;
  while (next !== undefined) {
    if (next.kind === 'query' && !isControl(next)) {
      batch.push(next);
    } else {
      if (batch.length > 0) runBatch(batch);
      batch = [];
      if (next.kind === 'query') control(next);
      else void other(next);
    }
    next = batch.length < maxBatch ? received() : undefined;
  }
  if (batch.length > 0) runBatch(batch);
}

function received(): ToThread | undefined {
  if (port === null) return undefined;
  return receiveMessageOnPort(port)?.message as ToThread | undefined;
}

/** Ends the process when the event loop that this thread works for is stuck. */
function watch(pulse: LoopPulse): void {
  const guard = new LoopGuard(pulse);
  new SystemClock().setInterval(() => guard.endIfStuck(), pulse.limitMs / looksPerLimit);
}

port.on('message', drain);
if (loopPulse !== null) watch(loopPulse);
// Now, since a program that is killed does not end this thread. Without it each start strips the types here again.
flushCompileCache();
await collectGarbage();
