import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

export interface StoredEvent {
  readonly event_id: string | null;
  readonly message: string;
}

const query = `SELECT event_id, message FROM events WHERE category = 'edge' AND node_id = `;
const order = ' ORDER BY raised_at, id';

/** The events of a node in the order in which they were raised. No manager may run on an embedded database. */
export async function storedEvents(databaseUrl: string, nodeId: string): Promise<readonly StoredEvent[]> {
  if (databaseUrl.startsWith('sqlite:')) {
    using database = new DatabaseSync(databaseUrl.replace('sqlite:', ''), { readOnly: true });
    return database.prepare(`${query} ?${order}`).all(nodeId) as unknown as StoredEvent[];
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<StoredEvent>(`${query} $1${order}`, [nodeId])).rows;
  } finally {
    await client.end();
  }
}
