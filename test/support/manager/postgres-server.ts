import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import pg from 'pg';
import { freeTcpPort } from './free-tcp-port.ts';

const run = promisify(execFile);

/** Debian keeps the server's programs out of the search path. */
function binaryFolder(): string {
  const [folder] = globSync('/usr/lib/postgresql/*/bin').toSorted().reverse();
  return folder !== undefined && existsSync(join(folder, 'initdb')) ? folder : '';
}

interface Unprivileged {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: then it runs as the user that Debian's package makes for it. */
async function unprivileged(): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

export interface PostgresOptions {
  /** It syncs to disk, as in production; tests do without. */
  readonly durable?: boolean;
}

/** A PostgreSQL server of its own for a test, on loopback. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #user: Unprivileged;
  readonly #durable: boolean;
  #child: ChildProcess | null = null;
  #databases = 0;

  private constructor(folder: string, port: number, { user, durable }: { user: Unprivileged; durable: boolean }) {
    this.#folder = folder;
    this.port = port;
    this.#user = user;
    this.#durable = durable;
  }

  static async start({ durable = false }: PostgresOptions = {}): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'adit-postgres-'));
    const user = await unprivileged();
    if (user.uid !== undefined && user.gid !== undefined) {
      await chmod(folder, 0o700);
      await chown(folder, user.uid, user.gid);
    }
    const initdb = join(binaryFolder(), 'initdb');
    const data = join(folder, 'data');
    await run(initdb, ['-D', data, '-U', 'adit', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--no-locale'], {
      ...user,
      cwd: folder,
    });
    const server = new PostgresServer(folder, await freeTcpPort(), { user, durable });
    await server.resume();
    return server;
  }

  /** Starts it, and after `halt` again with what it had. */
  async resume(): Promise<void> {
    const settings = [
      `fsync=${this.#durable ? 'on' : 'off'}`,
      'shared_buffers=32MB',
      'max_connections=200',
      `unix_socket_directories=${this.#folder}`,
    ];
    const child = spawn(
      join(binaryFolder(), 'postgres'),
      [
        ...['-D', join(this.#folder, 'data'), '-p', String(this.port), '-h', '127.0.0.1'],
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      { ...this.#user, cwd: this.#folder, stdio: 'ignore' },
    );
    this.#child = child;
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await this.#answers()) return;
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`postgres ended with ${child.exitCode ?? child.signalCode}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('postgres did not come up');
  }

  /** Ends it at once, as a crash would. */
  async halt(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGQUIT');
    await ended;
  }

  /** The URL of a new, empty database. */
  async newDatabase(): Promise<string> {
    const name = `test${++this.#databases}`;
    const client = new pg.Client({ connectionString: this.#url('postgres') });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return this.#url(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.halt();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.#url('postgres') });
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      return false;
    }
  }

  #url(database: string): string {
    return `postgres://adit@127.0.0.1:${this.port}/${database}`;
  }
}
