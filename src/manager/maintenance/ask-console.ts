import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { AppError, type AppErrorCode } from '../../lib/app-error.ts';
import { parseJson } from '../../lib/json.ts';
import { consoleAnswers, type ConsoleAnswer, type ConsoleRequest } from './console-request.ts';
import { consolePathOf, isUsablePath } from './console-socket.ts';

const frameSchema = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ error: z.string(), code: z.string().optional() }),
]);
/** What the manager may say to the command line; anything else is its own bug. */
const passedOn: readonly AppErrorCode[] = ['config-invalid', 'io-failed'];

/** Asks the manager that has the database open; null where none runs. Rejects with AppError as it failed there. */
export async function askConsole<Kind extends ConsoleRequest['kind']>(
  databasePath: string,
  request: Extract<ConsoleRequest, { kind: Kind }>,
): Promise<ConsoleAnswer<Kind> | null> {
  const path = consolePathOf(databasePath);
  if (!isUsablePath(path)) return null;
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(JSON.stringify(request));
  let answer: string;
  try {
    answer = await text(socket);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return null;
    throw new AppError('unavailable', `the running manager cannot be asked at ${path}`, { cause: error });
  }
  const frame = frameSchema.safeParse(parseJson(answer)).data;
  if (frame === undefined) throw new AppError('unavailable', 'the running manager ended before it had answered');
  if ('error' in frame) throw new AppError(passedOn.find((code) => code === frame.code) ?? 'io-failed', frame.error);
  return consoleAnswers[request.kind].parse(frame.answer) as ConsoleAnswer<Kind>;
}
