import { describe, expect, it } from 'vitest';
import { EventInbox } from '../../../../src/manager/events/event-inbox.ts';
import { OwnEvents } from '../../../../src/manager/events/own-events.ts';
import { LiveNode } from '../../../../src/manager/hub/live-node.ts';
import { NodeRoster } from '../../../../src/manager/hub/node-roster.ts';
import type { SessionRunner } from '../../../../src/manager/hub/session-runner.ts';
import type { EventRow, NewEvent } from '../../../../src/manager/store/schema.ts';
import type { Store } from '../../../../src/manager/store/store.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { silentLogger } from '../../../support/fakes/silent-logger.ts';

/** A roster on a database that is away while the test says so. */
function rosterOf() {
  const clock = new ManualClock();
  const bed = { away: true };
  const events = {
    insert: (rows: readonly NewEvent[]) =>
      bed.away ? Promise.reject(new Error('disk full')) : Promise.resolve(rows as unknown as readonly EventRow[]),
  };
  const inbox = new EventInbox({
    ...{ clock, logger: silentLogger, store: events as never, onStored: () => undefined },
    onCommitted: (ids) => roster.committed(ids),
  });
  const own = new OwnEvents(
    clock,
    (event) => inbox.put(event),
    () => 'i',
  );
  const store = { events } as unknown as Store;
  const dependencies = { clock, logger: silentLogger, store, inbox, events: own, instanceId: () => 'i' };
  const roster: NodeRoster = new NodeRoster(dependencies, 1_000);
  return { clock, bed, inbox, roster };
}

function nodeIn(roster: NodeRoster, id: string) {
  const state = { paused: false };
  const runner = {
    isOpen: true,
    pause: () => (state.paused = true),
    resume: () => (state.paused = false),
  } as unknown as SessionRunner;
  const facts = { id, name: id, kind: 'edge', session: 1, remoteAddr: 'x', connectedAt: 0, connectedAtMs: 0 } as const;
  roster.enter(runner, new LiveNode({ ...facts, expiresAt: null, issuedSecretId: null }, runner));
  const raise = (message: string, count: number): void => {
    const payload = { severity: 'info', category: 'edge', message };
    for (let sent = 0; sent < count; sent++) roster.received(runner, { kind: 'event', timestamp: null, payload });
  };
  return { state, raise };
}

describe('nodes whose events cannot be stored', () => {
  it('MF2 are not read any more at a thousand events each, and again when half are stored', async () => {
    const { clock, bed, roster } = rosterOf();
    const [loud, quiet] = [nodeIn(roster, 'loud'), nodeIn(roster, 'quiet')];
    loud.raise('x', 1_000);
    quiet.raise('x', 1);
    expect([loud.state.paused, quiet.state.paused]).toEqual([true, false]);
    bed.away = false;
    await clock.advanceAsync(2_000);
    expect(loud.state.paused).toBe(false);
  });

  it('MF2 are held up all together before they fill the memory, and go on when there is room', async () => {
    const { clock, bed, inbox, roster } = rosterOf();
    const nodes = Array.from({ length: 40 }, (_, index) => nodeIn(roster, `n${index}`));
    for (const { raise } of nodes) raise('x'.repeat(10_000), 400);
    expect(inbox.uncommitted).toBe(16_000);
    expect(nodes.slice(0, 30).map(({ state }) => state.paused)).not.toContain(true);
    expect(nodes.slice(35).map(({ state }) => state.paused)).not.toContain(false);
    roster.tick();
    expect(nodes.at(-1)?.state.paused).toBe(true);
    bed.away = false;
    await clock.advanceAsync(5_000);
    roster.tick();
    expect(inbox.uncommitted).toBe(0);
    expect(nodes.map(({ state }) => state.paused)).not.toContain(true);
  });
});
