import { sessionLabel, type SessionId } from '../tunnels/session-id.ts';
import type { SessionRunner } from './session-runner.ts';

/** The open sessions, by id and by name. */
export class SessionDirectory {
  readonly #sessions = new Map<SessionId, SessionRunner>();
  #total = 0;
  #peak = 0;
  #draining = false;

  /** Sessions that there ever were. */
  get total(): number {
    return this.#total;
  }

  get peak(): number {
    return this.#peak;
  }

  /** No edge may bind any more, nor one whose handshake is still under way. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions.values()) session.drain();
  }

  add(session: SessionRunner): void {
    if (this.#draining) session.drain();
    this.#sessions.set(session.id, session);
    this.#total++;
    this.#peak = Math.max(this.#peak, this.#sessions.size);
  }

  remove(session: SessionRunner): void {
    this.#sessions.delete(session.id);
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
}
