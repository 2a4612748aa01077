import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import process from 'node:process';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { parseJson } from '../../lib/json.ts';
import type { Logger } from '../../lib/logger.ts';
import { carryOut, consoleRequestSchema, type ConsoleDependencies } from './console-request.ts';

/** Of a UNIX socket's path, by Linux; longer ones would be cut. */
const maxPathBytes = 107;
const maxRequestBytes = 65_536;
const idleTimeoutMs = 10_000;

/** Where the manager that has this database open takes requests of the command line. */
export function consolePathOf(databasePath: string): string {
  return `${databasePath}.sock`;
}

export function isUsablePath(path: string): boolean {
  return Buffer.byteLength(path) <= maxPathBytes;
}

/**
 * Takes requests of the same user at this machine, one line of JSON a connection. Only one process can open the
 * embedded database, so backups of a running manager go through this socket.
 */
export class ConsoleSocket {
  readonly #path: string;
  readonly #dependencies: ConsoleDependencies & { readonly logger: Logger };
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(databasePath: string, dependencies: ConsoleDependencies & { readonly logger: Logger }) {
    this.#path = consolePathOf(databasePath);
    this.#dependencies = dependencies;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** The caller has the database open, so a socket that is there already is one that a crash left. */
  async start(): Promise<void> {
    const { logger } = this.#dependencies;
    if (!isUsablePath(this.#path)) {
      logger.warn({ path: this.#path }, 'the path of the console socket is too long, adit manager backup needs a stop');
      return;
    }
    await rm(this.#path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#server.once('error', reject);
    // Bound at once, before anything else runs: for the owner only.
    const before = process.umask(0o177);
    this.#server.listen(this.#path, () => resolve(undefined));
    process.umask(before);
    try {
      await promise;
    } catch (error) {
      logger.warn({ error, path: this.#path }, 'the console socket cannot be opened, adit manager backup needs a stop');
    }
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.length > maxRequestBytes) socket.destroy();
    });
    socket.on('end', () => {
      // A backup of a large database takes as long as it takes.
      socket.setTimeout(0);
      void this.#answer(text).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
    });
  }

  async #answer(text: string): Promise<object> {
    const parsed = consoleRequestSchema.safeParse(parseJson(text));
    if (!parsed.success) return { error: 'this manager does not know the request; is it of another version?' };
    try {
      return { answer: await carryOut(parsed.data, this.#dependencies) };
    } catch (error) {
      return { error: errorMessage(error), code: error instanceof AppError ? error.code : 'bug' };
    }
  }
}
