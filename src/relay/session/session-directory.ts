import type { Clock } from '../../lib/clock.ts';
import { sessionLabel, type SessionId } from '../tunnels/session-id.ts';
import type { SessionRunner } from './session-runner.ts';

interface Heard {
  packets: number;
  atMs: number;
}

export interface SessionDirectorySettings {
  /** An edge from which no packet came for this long is not alive (conformance I3). */
  readonly aliveMs: number;
}

/** The open sessions: by id, by name, and which of them still speak. */
export class SessionDirectory {
  readonly #clock: Clock;
  readonly #settings: SessionDirectorySettings;
  readonly #sessions = new Map<SessionId, SessionRunner>();
  readonly #heard = new Map<SessionId, Heard>();
  #total = 0;
  #peak = 0;

  constructor(clock: Clock, settings: SessionDirectorySettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Sessions that there ever were. */
  get total(): number {
    return this.#total;
  }

  get peak(): number {
    return this.#peak;
  }

  add(session: SessionRunner): void {
    this.#sessions.set(session.id, session);
    this.#total++;
    this.#peak = Math.max(this.#peak, this.#sessions.size);
  }

  remove(session: SessionRunner): void {
    this.#sessions.delete(session.id);
    this.#heard.delete(session.id);
  }

  get(id: SessionId): SessionRunner | null {
    return this.#sessions.get(id) ?? null;
  }

  all(): readonly SessionRunner[] {
    return [...this.#sessions.values()];
  }

  /** Those that have opened their control stream and are not closing. */
  edges(): readonly SessionRunner[] {
    return this.all().filter((session) => session.isEdge);
  }

  /** The sessions with this connection label or identified name; several edges may use one name. */
  named(name: string): readonly SessionRunner[] {
    return this.edges().filter((session) => session.edgeId === name || sessionLabel(session.id) === name);
  }

  /** Whether a packet came lately. Known to within the time between two calls of `listen` for that session. */
  isAlive(id: SessionId): boolean {
    const heard = this.listen(id);
    return heard !== null && this.#clock.monotonicMs() - heard.atMs <= this.#settings.aliveMs;
  }

  /**
   * Looks whether packets have come since the last look; to be called every second or two for the sessions whose
   * liveness may be asked for. Not for all: asking an engine for a connection's numbers is not free.
   */
  listen(id: SessionId): Heard | null {
    const session = this.#sessions.get(id);
    if (session === undefined) return null;
    const atMs = this.#clock.monotonicMs();
    const packets = session.connection.stats().packetsReceived;
    const heard = this.#heard.get(id) ?? { packets: -1, atMs };
    this.#heard.set(id, heard);
    // An engine that cannot tell has an idle timeout: as long as the connection is there, its edge counts as alive.
    if (packets === null || packets > heard.packets) {
      heard.atMs = atMs;
      heard.packets = packets ?? -1;
    }
    return heard;
  }
}
