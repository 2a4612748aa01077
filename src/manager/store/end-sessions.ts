import type { OpenDatabase } from './open-database.ts';

/** Ends what belongs to running instances and signed-in people; what is kept of nodes and tunnels stays. */
export async function endSessions({ db }: Pick<OpenDatabase, 'db'>): Promise<void> {
  await db.transaction().execute(async (inside) => {
    for (const table of ['user_sessions', 'node_sessions', 'instances', 'commands', 'watches', 'node_live'] as const) {
      await inside.deleteFrom(table).execute();
    }
  });
}
