import { describe, expect, test } from 'vitest';
import {
  encodeHandshake,
  encodeHandshakeMessage,
  handshakeType,
  srtVersion,
  type Handshake,
} from '../../../../src/media/srt/handshake.ts';
import { rejectReason } from '../../../../src/media/srt/reject-reason.ts';
import { SrtListener, type SrtRemote } from '../../../../src/media/srt/srt-listener.ts';
import { srtDefaults, SrtWorld } from '../../../support/media/srt-world.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const induction: Handshake = {
  version: 4,
  encryption: 0,
  extension: 2,
  initialSequence: 77,
  mss: 1500,
  flightWindow: 8192,
  type: handshakeType.induction,
  socketId: 99,
  cookie: 0,
  extensions: [],
};

function bed(settings: Partial<typeof srtDefaults> = {}): { listener: SrtListener; sent: Buffer[]; refused: number[] } {
  const sent: Buffer[] = [];
  const refused: number[] = [];
  const listener = new SrtListener(
    {
      random: new SeededRandom(1),
      send: (packet) => sent.push(Buffer.from(packet)),
      knows: () => true,
      admit: () => null,
      accepted: () => ({ deliver: () => undefined, closed: () => undefined }),
      refused: (_remote, reason) => refused.push(reason),
    },
    { ...srtDefaults, ...settings },
  );
  return { listener, sent, refused };
}

const remote: SrtRemote = { address: '192.0.2.9', port: 4000 };

function cookieFor(listener: SrtListener, sent: Buffer[], from: SrtRemote, nowUs = 0): number {
  listener.handle(nowUs, encodeHandshake(induction), from);
  return sent.pop()?.readUInt32BE(44) ?? 0;
}

describe('an SRT listener', () => {
  test('answers an induction with a cookie of that address, never with more bytes than came', () => {
    const { listener, sent } = bed();
    const request = encodeHandshake(induction);
    listener.handle(0, request, remote);
    expect(sent[0]?.length).toBeLessThanOrEqual(request.length);
    expect(cookieFor(listener, sent, remote)).not.toBe(cookieFor(listener, sent, { ...remote, port: 4001 }));
  });

  test('keeps nothing and says nothing for a conclusion without its cookie', () => {
    const { listener, sent } = bed();
    for (let port = 1; port <= 10_000; port++) {
      const lie = { ...induction, type: handshakeType.conclusion, version: 5, cookie: port * 7919 };
      listener.handle(0, encodeHandshake(lie), { address: '192.0.2.1', port });
    }
    expect(sent).toEqual([]);
    expect(listener.connections).toEqual([]);
    expect(listener.malformed).toBe(10_000);
  });

  test('takes a cookie for a minute at least and for two at most', () => {
    const { listener, sent } = bed();
    const cookie = cookieFor(listener, sent, remote);
    const conclusion = encodeHandshake({ ...induction, version: 5, type: handshakeType.conclusion, cookie });
    listener.handle(61_000_000, conclusion, remote);
    expect(sent).toHaveLength(1);
    listener.handle(121_000_000, conclusion, remote);
    expect(sent).toHaveLength(1);
  });

  test.each([
    ['of version 4', { version: 4 }, rejectReason.version],
    ['of version 6', { version: 6 }, rejectReason.version],
    ['without a handshake message', {}, rejectReason.rogue],
    ['with a message that is cut short', { extensions: [{ type: 1, content: Buffer.alloc(4) }] }, rejectReason.rogue],
  ])('refuses a conclusion %s', (_case, change, reason) => {
    const { listener, sent, refused } = bed();
    const cookie = cookieFor(listener, sent, remote);
    const conclusion = { ...induction, version: 5, type: handshakeType.conclusion, cookie, ...change };
    listener.handle(0, encodeHandshake(conclusion), remote);
    expect(sent[0]?.readUInt32BE(36)).toBe(1000 + reason);
    expect(refused).toEqual([reason]);
    expect(listener.connections).toEqual([]);
  });

  const message = encodeHandshakeMessage({ version: srtVersion, flags: 0xbf, receiveLatencyMs: 120, sendLatencyMs: 0 });
  const honest = { extension: 1, extensions: [{ type: 1, content: message }] };

  test.each([
    ['no MTU and no window', { ...honest, mss: 0, flightWindow: 0 }, 'let in'],
    ['the largest MTU and window', { ...honest, mss: 0xffff_ffff, flightWindow: 0xffff_ffff }, 'let in'],
    ['the longest latency', { ...honest, extensions: [{ type: 1, content: Buffer.alloc(12, 0xff) }] }, 'refused'],
    ['an old version', { ...honest, extensions: [{ type: 1, content: Buffer.alloc(12) }] }, 'refused'],
    ['a stream id that is no text', { extensions: [{ type: 5, content: Buffer.alloc(64, 0xff) }] }, 'refused'],
    ['a stream id of 1,200 bytes', { extensions: [{ type: 5, content: Buffer.alloc(1200, 0x41) }] }, 'refused'],
    ['no extension that it names', { extension: 7 }, 'refused'],
  ])('answers a lie with a valid cookie once, and keeps one connection at most: %s', (_case, lie, outcome) => {
    const { listener, sent } = bed();
    const cookie = cookieFor(listener, sent, remote);
    const conclusion = { ...induction, version: 5, type: handshakeType.conclusion, cookie, ...lie };
    listener.handle(0, encodeHandshake(conclusion), remote);
    expect(sent).toHaveLength(1);
    expect(listener.connections).toHaveLength(outcome === 'let in' ? 1 : 0);
    const other = { ...remote, port: 4001 };
    const own = { cookie: cookieFor(listener, sent, other), socketId: 100 };
    listener.handle(0, encodeHandshake({ ...conclusion, ...honest, mss: 1500, flightWindow: 8192, ...own }), other);
    expect(listener.connections).toHaveLength(outcome === 'let in' ? 2 : 1);
  });

  test('counts an extension that runs past the end of its packet, and says nothing', () => {
    const { listener, sent } = bed();
    const cookie = cookieFor(listener, sent, remote);
    const packet = encodeHandshake({ ...induction, version: 5, type: handshakeType.conclusion, cookie, ...honest });
    packet.writeUInt16BE(0xffff, packet.length - message.length - 2);
    listener.handle(0, packet, remote);
    expect(sent).toEqual([]);
    expect(listener.malformed).toBe(1);
  });

  test('opens key material of outsiders only so often a second', () => {
    const world = new SrtWorld({ caller: { passphrase: 'wrong wrong' }, listener: { passphrase: 'right right' } });
    const packets: Buffer[] = [];
    const { listener } = world;
    const spy = { ...remote };
    world.path.quality = { ...world.path.quality, delayUs: 0 };
    const original = listener.handle.bind(listener);
    listener.handle = (nowUs, packet, from) => {
      packets.push(Buffer.from(packet));
      original(nowUs, packet, from);
    };
    world.connect();
    const conclusion = packets.at(-1) ?? Buffer.alloc(0);
    const from = { address: '192.0.2.1', port: 5000 };
    const before = world.refused.length;
    for (let index = 0; index < 200; index++) original(world.nowUs, conclusion, from);
    expect(world.refused.length - before).toBeLessThanOrEqual(50);
    expect(spy.port).toBe(4000);
  });

  test('answers a repeated conclusion again and makes no second connection', () => {
    const world = new SrtWorld({ path: { delayUs: 400_000 } });
    world.connect();
    world.run(2_000_000);
    expect(world.listener.connections).toHaveLength(1);
    expect(world.caller.connection).not.toBeNull();
  });

  test('ignores data with the right socket id from another address', () => {
    const world = new SrtWorld();
    world.connect();
    const before = world.accepted?.heardUs;
    const packet = Buffer.alloc(200);
    packet.writeUInt32BE(world.accepted?.agreement.socketId ?? 0, 12);
    world.listener.handle(world.nowUs + 1_000_000, packet, { address: '192.0.2.66', port: 1 });
    expect(world.accepted?.heardUs).toBe(before);
  });

  test('turns away a caller that the flow does not want', () => {
    const world = new SrtWorld({ admit: () => rejectReason.peer });
    world.connect();
    expect(world.failed).toBe(rejectReason.peer);
    expect(world.listener.connections).toEqual([]);
  });

  test('reads the stream id as it was written', () => {
    let seen: string | null = null;
    const world = new SrtWorld({
      caller: { streamId: '#!::r=kamera-ä,m=publish' },
      admit: (_now, { streamId }) => {
        seen = streamId;
        return null;
      },
    });
    world.connect();
    expect(seen).toBe('#!::r=kamera-ä,m=publish');
  });
});
