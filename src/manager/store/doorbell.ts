import pg from 'pg';
import type { Clock, Timer } from '../../lib/clock.ts';

/** Notifies other instances that a table has changed. What is lost is found by looking: the table is the truth. */
export interface Doorbell {
  start(): Promise<void>;
  /** At most 90 bytes. Never throws. */
  ring(text: string): void;
  stop(): Promise<void>;
}

export interface DoorbellOwner {
  readonly onRing: (text: string) => void;
  /** It listens again: what rang since it was cut off is lost. */
  readonly onMissed: () => void;
}

const channel = 'adit';
const batchMs = 20;
const reconnectMs = 1_000;
/** Below PostgreSQL's 7 999 bytes. */
const textsPerNotice = 80;

/** LISTEN on a connection of its own, NOTIFY through the pool, batched. */
export class PostgresDoorbell implements Doorbell {
  readonly #url: string;
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #owner: DoorbellOwner;
  #client: pg.Client | null = null;
  #pending = new Set<string>();
  #timer: Timer | null = null;
  #again: Timer | null = null;
  #stopped = false;
  #listened = false;

  constructor(url: string, pool: pg.Pool, clock: Clock, owner: DoorbellOwner) {
    this.#url = url;
    this.#pool = pool;
    this.#clock = clock;
    this.#owner = owner;
  }

  async start(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, keepAlive: true, application_name: 'adit-manager' });
    client.on('notification', ({ payload }) => {
      for (const text of (payload ?? '').split('\n')) this.#owner.onRing(text);
    });
    client.on('error', () => this.#later());
    client.on('end', () => this.#later());
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      if (this.#stopped) await client.end();
      else this.#client = client;
      if (this.#listened) this.#owner.onMissed();
      this.#listened = true;
    } catch {
      // Without a bell everything still happens, a little later.
      this.#later();
    }
  }

  ring(text: string): void {
    this.#pending.add(text);
    this.#timer ??= this.#clock.setTimeout(() => void this.#send(), batchMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#again?.cancel();
    await this.#client?.end().catch(() => undefined);
  }

  async #send(): Promise<void> {
    this.#timer = null;
    const texts = [...this.#pending];
    this.#pending = new Set();
    for (let from = 0; from < texts.length; from += textsPerNotice) {
      const payload = texts.slice(from, from + textsPerNotice).join('\n');
      await this.#pool.query('SELECT pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
    }
  }

  #later(): void {
    this.#client = null;
    if (this.#stopped || this.#again !== null) return;
    this.#again = this.#clock.setTimeout(() => {
      this.#again = null;
      void this.start();
    }, reconnectMs);
  }
}
