import { z } from 'zod';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { AccessError } from '../access/access-error.ts';
import { atTheConsole, resetAdmin } from '../access/reset-admin.ts';
import { Users } from '../access/users.ts';
import type { Sealing } from '../secrets/sealing.ts';
import { createAccessStore } from '../store/create-access-store.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { checkDatabase } from './check-database.ts';
import { writeBackup } from './write-backup.ts';

/** What the command line asks of a database, whether a manager runs on it or not. */
export const consoleRequestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('backup'), path: z.string(), replace: z.boolean() }),
  z.strictObject({ kind: z.literal('check') }),
  z.strictObject({ kind: z.literal('reset-admin'), name: z.string(), password: z.string() }),
  z.strictObject({
    kind: z.literal('token'),
    name: z.string(),
    role: z.enum(['viewer', 'operator', 'admin']),
    expires_at: z.number().nullable(),
  }),
]);

export type ConsoleRequest = z.output<typeof consoleRequestSchema>;

export const consoleAnswers = {
  backup: z.object({}),
  check: z.object({
    problems: z.array(z.string()).readonly(),
    rows: z.record(z.string(), z.number()),
    sealed: z.number(),
  }),
  'reset-admin': z.object({ outcome: z.enum(['made', 'changed']) }),
  token: z.object({ token: z.string() }),
} satisfies Record<ConsoleRequest['kind'], z.ZodType>;

export type ConsoleAnswer<Kind extends ConsoleRequest['kind']> = z.output<(typeof consoleAnswers)[Kind]>;

export interface ConsoleDependencies {
  readonly database: OpenDatabase;
  /** Null where the master key is not there. */
  readonly sealing: Sealing | null;
  readonly clock: Clock;
  readonly random: Random;
}

/** Carries out a request. Rejects with AppError; bad input is `config-invalid`. */
export async function carryOut(
  request: ConsoleRequest,
  { database, sealing, clock, random }: ConsoleDependencies,
): Promise<ConsoleAnswer<ConsoleRequest['kind']>> {
  const store = createAccessStore(database);
  try {
    switch (request.kind) {
      case 'backup': {
        await writeBackup(database, request.path, { replace: request.replace });
        return {};
      }
      case 'check':
        return await checkDatabase(database, sealing);
      case 'reset-admin':
        return { outcome: await resetAdmin({ store, clock, random }, request) };
      case 'token': {
        const { name, role, expires_at } = request;
        const users = new Users({ store, clock, random });
        return { token: (await users.createToken({ name, role, expires_at }, atTheConsole)).token };
      }
    }
  } catch (error) {
    if (error instanceof AccessError) throw new AppError('config-invalid', error.message, { cause: error });
    throw error;
  }
}
