import { describe, expect, it } from 'vitest';
import { parseRfc3339 } from '../../../../src/lib/clock.ts';
import { Session, type SessionAction } from '../../../../src/manager/hub/session.ts';

const at = parseRfc3339('2026-01-01T00:00:00.000Z');
const text = (value: string) => ({ kind: 'text', bytes: Buffer.from(value) }) as const;
const auth = text('{"type":"auth","payload":{"node_id":"n","node_secret":"s"}}');

/** What a peer that is refused gets, in this order. */
function refusal(reason: string): readonly SessionAction[] {
  const frame = JSON.stringify({
    ...{ type: 'auth_error', timestamp: '2026-01-01T00:00:00.000Z', message: reason, payload: { error: reason } },
  });
  return [
    { kind: 'send', frame },
    { kind: 'refusal', reason },
    { kind: 'close', code: 4001, reason: 'auth failed', afterMs: 500 },
  ];
}

describe('a session', () => {
  it('MA1 whose first frame is ten seconds late is refused in the words that nodes know, and not before', () => {
    const session = new Session();
    expect(session.take({ kind: 'time', waitedMs: 9_999 }, at)).toEqual([]);
    expect(session.take({ kind: 'time', waitedMs: 10_000 }, at)).toEqual(refusal('Auth timeout (10s)'));
    expect([session.take({ kind: 'time', waitedMs: 11_000 }, at), session.take(auth, at)]).toEqual([[], []]);
  });

  it('MA1 that waits for the database is not late, and drops what comes before the answer', () => {
    const session = new Session();
    expect(session.take(auth, at)).toMatchObject([{ kind: 'authenticate' }]);
    expect(session.take({ kind: 'time', waitedMs: 60_000 }, at)).toEqual([]);
    expect([session.take(auth, at), session.take({ kind: 'binary' }, at)]).toEqual([[], []]);
    const [answer] = session.take({ kind: 'accepted', registered: null }, at);
    expect(answer).toEqual({
      ...{ kind: 'send', frame: '{"type":"auth_ok","timestamp":"2026-01-01T00:00:00.000Z","payload":{}}' },
    });
    expect(session.take(text('{"type":"pong","timestamp":"","payload":null}'), at)).toMatchObject([{ kind: 'frame' }]);
  });

  it('that the database cannot judge is told to come again, and is not refused', () => {
    const session = new Session();
    session.take(auth, at);
    expect(session.take({ kind: 'unavailable' }, at)).toEqual([
      { kind: 'close', code: 1013, reason: 'try again later', afterMs: 0 },
    ]);
  });
});
