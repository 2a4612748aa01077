import type { Dialect } from 'kysely';
import pg from 'pg';
import { StorablePostgresDialect } from './storable-text.ts';

/** One for LISTEN comes beside them. */
const maxConnections = 10;
/** PostgreSQL's oid of int8, which `pg` would hand out as text. */
const int8 = 20;

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): unknown {
    return oid === int8 ? Number : (pg.types.getTypeParser as (oid: number, format?: string) => unknown)(oid, format);
  },
};

export interface PostgresPool {
  readonly dialect: Dialect;
  readonly pool: pg.Pool;
}

/** `onError` gets errors of idle connections; such a connection is replaced automatically. */
export function postgresPool(url: string, onError: (error: Error) => void): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    types,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    keepAlive: true,
    application_name: 'adit-manager',
  });
  pool.on('error', onError);
  // The pool takes its own listener away while a connection is in use. One that is lost between two statements of a
  // transaction would end the program; the next statement rejects anyway.
  pool.on('connect', (client) => client.on('error', onError));
  return { dialect: new StorablePostgresDialect({ pool }), pool };
}
