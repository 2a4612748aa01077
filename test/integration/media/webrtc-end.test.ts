import { afterEach, describe, expect, it } from 'vitest';
import { RtcSession, type RtcSettings } from '../../../src/media/webrtc/rtc-session.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { until } from '../../support/until.ts';

interface Peer {
  readonly session: RtcSession;
  readonly clock: ManualClock;
  readonly ends: { readonly reason: string; readonly wasConnected: boolean }[];
  readonly seen: { packets: number; keyFramesWanted: number };
}

const open: Peer[] = [];

/** A session whose clock stands still unless the test moves it: none of its own deadlines passes by itself. */
function peer(role: RtcSettings['role']): Peer {
  const clock = new ManualClock();
  const ends: Peer['ends'] = [];
  const seen = { packets: 0, keyFramesWanted: 0 };
  const session = new RtcSession(
    {
      clock,
      observer: {
        connected: () => undefined,
        ended: (end) => ends.push(end),
        packet: () => seen.packets++,
        keyFrameWanted: () => seen.keyFramesWanted++,
      },
    },
    { role, tracks: ['video'], h264: null, publicIp: null, stunServer: null },
  );
  const made = { session, clock, ends, seen };
  open.push(made);
  return made;
}

/** A viewer and the end that serves it, connected. */
async function connected(): Promise<{ readonly server: Peer; readonly viewer: Peer; readonly answer: string }> {
  const [server, viewer] = [peer('sends'), peer('receives')];
  const answer = await server.session.answer(await viewer.session.offer());
  await viewer.session.accept(answer);
  await until(() => server.session.isConnected && viewer.session.isConnected);
  return { server, viewer, answer };
}

/** A DTLS record of any content (RFC 6347 §4.1). */
function record(type: number, epoch: number, content: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header[0] = type;
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUInt16BE(content.length, 11);
  return Buffer.concat([header, content]);
}

/** A connectivity check (RFC 8445 §7.1) of a controlling peer that wants media from now on. */
function check(username: string): Buffer {
  const attribute = (type: number, value: Buffer): Buffer => {
    const header = Buffer.alloc(4);
    header.writeUInt16BE(type, 0);
    header.writeUInt16BE(value.length, 2);
    return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)]);
  };
  const attributes = Buffer.concat([
    attribute(0x0006, Buffer.from(username)),
    attribute(0x0024, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    attribute(0x802a, Buffer.alloc(8, 0xff)),
    attribute(0x0025, Buffer.alloc(0)),
  ]);
  const header = Buffer.alloc(20, 7);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(0x2112_a442, 4);
  return Buffer.concat([header, attributes]);
}

/** A ClientHello in one fragment, without a cookie. */
const clientHello = Buffer.concat([Buffer.from('0100002a000000000000002afefd', 'hex'), Buffer.alloc(40)]);

const forgeries: readonly (readonly [string, Buffer])[] = [
  ['a farewell in the clear', record(21, 0, Buffer.from([1, 0]))],
  ['a farewell with a seal that is none', record(21, 1, Buffer.alloc(34))],
  ['a record of a type that nobody knows', record(30, 0, Buffer.from([0]))],
  ['the same, as if it were sealed', record(30, 1, Buffer.alloc(34))],
  ['a new handshake', record(22, 0, clientHello)],
  ['a connectivity check without a name', check('')],
  ['a connectivity check with a wrong name', check('aaaa:bbbb')],
];

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

  it.each(forgeries)('goes on when an unauthenticated peer sends its port %s', async (_what, forged) => {
    const { server, viewer, answer } = await connected();
    await using foreign = await LocalUdpSocket.open();
    const ports = [...answer.matchAll(/^a=candidate:\S+ 1 udp \d+ 127[.]0[.]0[.]1 (\d+)/gim)].map(([, port]) =>
      Number(port),
    );
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) foreign.send(forged, port);
    // What comes later shows that it was read.
    await until(() => {
      viewer.session.requestKeyFrame();
      server.session.send('video', Buffer.from([0x41, 1, 2, 3]), 0, true);
      return server.seen.keyFramesWanted > 0 && viewer.seen.packets > 2;
    });
    expect(server.ends).toEqual([]);
    expect(foreign.received).toEqual([]);
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
