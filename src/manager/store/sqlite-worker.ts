import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import { AppError } from '../../lib/app-error.ts';
import type { LoopPulse } from '../../lib/loop-pulse.ts';
import { SqliteCompiler } from './sqlite-compiler.ts';
import type { FromThread, ThreadData, ToThread } from './sqlite-messages.ts';

type Message = Omit<Extract<ToThread, { kind: 'query' }>, 'id'> | { kind: 'backup'; path: string } | { kind: 'close' };

interface Waiter {
  resolve(answer: { rows: readonly unknown[]; changes: number }): void;
  reject(error: Error): void;
}

/** The database file, opened in a thread of its own: a sync to disk never holds up the event loop. */
export class SqliteWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;
  #writes = 0;
  #failure: Error | null = null;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer: FromThread) => this.#answered(answer));
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new AppError('closed', 'the database is closed')));
  }

  /**
   * Rejects with AppError `io-failed`, also when another process has the file open. With the pulse of an event loop the
   * thread ends the process when that loop is stuck.
   */
  static async open(path: string, loopPulse: LoopPulse | null): Promise<SqliteWorker> {
    const workerData = { path, loopPulse } satisfies ThreadData;
    const worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { workerData });
    const sqlite = new SqliteWorker(worker);
    try {
      await once(worker, 'online');
      await sqlite.ask({ kind: 'query', sql: 'SELECT 1', parameters: [] });
      return sqlite;
    } catch (cause) {
      const busy = cause instanceof Error && cause.message.includes('locked');
      const reason = busy ? 'another process has it open' : 'it could not be opened';
      throw new AppError('io-failed', `the database ${path} cannot be used: ${reason}`, { cause });
    }
  }

  ask(message: Message): Promise<{ rows: readonly unknown[]; changes: number }> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    if (message.kind === 'query' && !/^\s*select/i.test(message.sql)) this.#writes += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...message, id });
    });
  }

  /** Statements so far that could change something. */
  get writes(): number {
    return this.#writes;
  }

  /** A copy of the whole database, made while it is in use. */
  async backup(path: string): Promise<void> {
    await this.ask({ kind: 'backup', path });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#failure !== null) return;
    await this.ask({ kind: 'close' });
    await this.#worker.terminate();
  }

  #answered(answer: FromThread): void {
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiter?.reject(new AppError('io-failed', answer.error));
    else waiter?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Kysely's SQLite over the worker. */
export class SqliteWorkerDialect implements Dialect {
  readonly #worker: SqliteWorker;

  constructor(worker: SqliteWorker) {
    this.#worker = worker;
  }

  createAdapter(): SqliteAdapter {
    return new WorkerAdapter();
  }

  createDriver(): Driver {
    return new WorkerDriver(this.#worker);
  }

  createIntrospector(db: ConstructorParameters<typeof SqliteIntrospector>[0]): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteCompiler();
  }
}

/** Kysely's own lock would let one statement at a time through, and wakes all that wait for each. */
class WorkerAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/**
 * Single statements run at once, so that those that meet share a commit. A transaction keeps all others out until it
 * has ended, because the file has one connection.
 */
class WorkerDriver implements Driver {
  readonly #worker: SqliteWorker;
  #gate: { readonly owner: object; readonly opened: Promise<void>; open(): void } | null = null;

  constructor(worker: SqliteWorker) {
    this.#worker = worker;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  acquireConnection(): Promise<DatabaseConnection> {
    const connection: DatabaseConnection = {
      executeQuery: <R>(query: CompiledQuery) => this.#execute<R>(connection, query),
      streamQuery: () => {
        throw new AppError('bug', 'rows are not streamed from the embedded database');
      },
    };
    return Promise.resolve(connection);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    while (this.#gate !== null) await this.#gate.opened;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#gate = { owner: connection, opened: promise, open: () => resolve(undefined) };
    try {
      await this.#execute(connection, CompiledQuery.raw('begin immediate'));
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#execute(connection, CompiledQuery.raw('commit'));
    this.#leave();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await this.#execute(connection, CompiledQuery.raw('rollback'));
    } finally {
      this.#leave();
    }
  }

  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return this.#worker.close();
  }

  async #execute<R>(connection: object, { sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    while (this.#gate !== null && this.#gate.owner !== connection) await this.#gate.opened;
    const { rows, changes } = await this.#worker.ask({ kind: 'query', sql, parameters });
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  #leave(): void {
    const gate = this.#gate;
    this.#gate = null;
    gate?.open();
  }
}
