import { afterEach, describe, expect, it } from 'vitest';
import { RtcSession, type RtcSettings } from '../../../src/media/webrtc/rtc-session.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { until } from '../../support/until.ts';

interface Peer {
  readonly session: RtcSession;
  readonly clock: ManualClock;
  readonly ends: { readonly reason: string; readonly wasConnected: boolean }[];
}

const open: Peer[] = [];

/** A session whose clock stands still unless the test moves it: none of its own deadlines passes by itself. */
function peer(role: RtcSettings['role']): Peer {
  const clock = new ManualClock();
  const ends: Peer['ends'] = [];
  const session = new RtcSession(
    {
      clock,
      observer: {
        connected: () => undefined,
        ended: (end) => ends.push(end),
        packet: () => undefined,
        keyFrameWanted: () => undefined,
      },
    },
    { role, tracks: ['video'], h264: null, publicIp: null, stunServer: null },
  );
  const made = { session, clock, ends };
  open.push(made);
  return made;
}

/** A viewer and the end that serves it, connected. */
async function connected(): Promise<{ readonly server: Peer; readonly viewer: Peer }> {
  const [server, viewer] = [peer('sends'), peer('receives')];
  await viewer.session.accept(await server.session.answer(await viewer.session.offer()));
  await until(() => server.session.isConnected && viewer.session.isConnected);
  return { server, viewer };
}

describe('a WebRTC session', () => {
  afterEach(async () => {
    for (const { session } of open.splice(0)) await session.close();
  });

  it('ends with the farewell of its peer, and waits for no deadline', async () => {
    const { server, viewer } = await connected();
    await viewer.session.close();
    await until(() => server.ends.length > 0);
    expect(server.ends).toEqual([{ reason: 'the peer has closed the session', wasConnected: true }]);
    expect(server.clock.monotonicMs()).toBe(0);
  });

  it('ends at most eleven seconds after a peer that left without one', async () => {
    const { server } = await connected();
    // ICE checks of the peer go on, in real time; in the server's time nothing comes between two looks.
    server.clock.advance(9900);
    expect(server.ends).toEqual([]);
    server.clock.advance(1100);
    expect(server.ends).toEqual([{ reason: 'nothing came for 10 s', wasConnected: true }]);
  });
});
