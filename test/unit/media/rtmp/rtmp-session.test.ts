import { describe, expect, test } from 'vitest';
import { decodeAmf, encodeAmf } from '../../../../src/media/rtmp/amf0.ts';
import { RtmpSession, type RtmpAction, type RtmpSettings } from '../../../../src/media/rtmp/rtmp-session.ts';
import { damaged, fuzzInputs, fuzzTimeoutMs } from '../../../support/media/fuzz.ts';
import { aacConfig, aacFrame, h264Sets, picture } from '../../../support/media/media-samples.ts';
import {
  rtmpCommand,
  rtmpConfigs,
  rtmpGreeting,
  rtmpMessage,
  rtmpSetup,
  rtmpUnit,
} from '../../../support/media/rtmp-publisher.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const settings: RtmpSettings = { app: 'live', streamKey: 'key', stallTimeoutMs: 10_000 };

function session(changes: Partial<RtmpSettings> = {}, admit = (): boolean => true): RtmpSession {
  return new RtmpSession({ ...settings, ...changes }, admit, 0);
}

function publishing(): RtmpSession {
  const made = session();
  made.handle(0, Buffer.concat([rtmpGreeting, rtmpSetup()]));
  return made;
}

function sent(actions: readonly RtmpAction[]): string {
  return Buffer.concat(actions.flatMap((action) => (action.kind === 'send' ? [action.bytes] : []))).toString('latin1');
}

function ending(actions: readonly RtmpAction[]): string | undefined {
  return actions.flatMap((action) => (action.kind === 'close' ? [action.reason] : []))[0];
}

const units = [picture('h264', 0, true, 5000, 7200), aacFrame(900), picture('h264', 3600, false, 400, 3600)];

describe('an RTMP publisher', () => {
  test('is greeted, admitted, and its pictures and sound come out with their times', () => {
    const made = session();
    expect(sent(made.handle(0, rtmpGreeting)).length).toBe(1 + 2 * 1536);
    expect(sent(made.handle(0, rtmpSetup()))).toMatch(/Connect\.Success[^]*_result[^]*Publish\.Start/);
    const actions = made.handle(0, Buffer.concat([rtmpConfigs(), ...units.map(rtmpUnit)]));
    expect(actions.map(({ kind }) => kind)).toEqual([
      'started',
      'video-config',
      'audio-config',
      'unit',
      'unit',
      'unit',
    ]);
    expect(actions[1]).toEqual({ kind: 'video-config', codec: 'h264', parameterSets: h264Sets });
    expect(actions.slice(3)).toEqual(units.map((unit) => ({ kind: 'unit', unit })));
    expect(actions[4]).toMatchObject({ unit: { config: aacConfig } });
  });

  test('may send one byte at a time', () => {
    const made = session();
    const bytes = Buffer.concat([rtmpGreeting, rtmpSetup(), rtmpConfigs(), ...units.map(rtmpUnit)]);
    const actions = Array.from(bytes, (byte) => made.handle(0, Buffer.from([byte]))).flat();
    expect(actions.filter(({ kind }) => kind === 'unit')).toHaveLength(3);
  });

  test('is understood with another chunk size, a ping and an abort', () => {
    const made = publishing();
    const chunkSize = Buffer.from([0, 0, 0x10, 0]);
    made.handle(0, Buffer.concat([rtmpMessage(1, 0, chunkSize, 2), rtmpMessage(9, 0, Buffer.alloc(10), 6, 4096)]));
    const ping = made.handle(0, rtmpMessage(4, 0, Buffer.from([0, 6, 1, 2, 3, 4]), 2));
    expect(sent(ping)).toContain('\u0000\u0007\u0001\u0002\u0003\u0004');
    const half = rtmpMessage(9, 0, Buffer.alloc(9000), 6, 4096).subarray(0, 12 + 4096);
    made.handle(0, Buffer.concat([half, rtmpMessage(2, 0, Buffer.from([0, 0, 0, 6]), 2, 4096)]));
    expect(ending(made.handle(0, rtmpMessage(9, 0, Buffer.alloc(20), 6, 4096)))).toBeUndefined();
  });

  test('keeps its times through the wrap of 32 bits, also with extended timestamps', () => {
    const made = publishing();
    made.handle(0, rtmpConfigs());
    const before = 2 ** 32 - 20;
    const late = (time: number): Buffer => rtmpMessage(8, time, Buffer.from([0xaf, 1, 1, 2, 3]), 4);
    const times = [before, 20].flatMap((time) => made.handle(0, late(time)));
    const pts = times.flatMap((action) => (action.kind === 'unit' ? [action.unit.pts] : []));
    expect((pts[1] ?? 0) - (pts[0] ?? 0)).toBe(40 * 90);
  });

  test('of H.265 is read with the old codec number and with the FourCC of Enhanced RTMP', () => {
    const record = Buffer.alloc(23);
    record[0] = 1;
    record[21] = 3;
    for (const head of [Buffer.from([0x1c, 0, 0, 0, 0]), Buffer.from('\u0090hvc1', 'latin1')]) {
      const made = publishing();
      const actions = made.handle(0, rtmpMessage(9, 0, Buffer.concat([head, record])));
      expect(actions[1]).toEqual({ kind: 'video-config', codec: 'h265', parameterSets: [] });
    }
  });

  test.each([
    ['another app', rtmpSetup('other'), 'NetConnection.Connect.Rejected', 'the app is "other", not "live"'],
    ['a wrong key', rtmpSetup('live', 'kez'), 'NetStream.Publish.BadName', 'the stream key is wrong'],
    ['a longer key', rtmpSetup('live', 'keykey'), 'NetStream.Publish.BadName', 'the stream key is wrong'],
    ['no connect', rtmpCommand('publish', 5, null, 'key', 'live'), '', 'publish out of turn'],
  ])('with %s is refused with the reason', (_name, setup, code, reason) => {
    const actions = session().handle(0, Buffer.concat([rtmpGreeting, setup, rtmpConfigs()]));
    expect(sent(actions)).toContain(code);
    expect(ending(actions)).toBe(reason);
    expect(actions.some(({ kind }) => kind === 'started')).toBe(false);
  });

  test('is refused beside one that is live', () => {
    const actions = session({}, () => false).handle(0, Buffer.concat([rtmpGreeting, rtmpSetup()]));
    expect(ending(actions)).toBe('another publisher is live');
  });

  test('ends with deleteStream or FCUnpublish, or when it has sent nothing for its time', () => {
    for (const name of ['deleteStream', 'FCUnpublish']) {
      expect(ending(publishing().handle(0, rtmpCommand(name, 6, null, 'key')))).toBe('the publisher has stopped');
    }
    const made = publishing();
    made.handle(5e6, rtmpUnit(aacFrame(0)));
    expect(made.tick(14.9e6)).toEqual([]);
    expect(ending(made.tick(15e6))).toBe('nothing for 10 s');
    expect(made.nextUs).toBe(Number.POSITIVE_INFINITY);
    expect(ending(session().tick(10e6))).toBe('no publish within 10 s');
  });

  test('of a codec that cannot be carried is named once', () => {
    const made = publishing();
    const sorenson = rtmpMessage(9, 0, Buffer.from([0x12, 0, 0, 0, 0, 0]));
    const actions = made.handle(0, Buffer.concat([sorenson, sorenson]));
    expect(actions).toEqual([{ kind: 'unsupported', what: 'pictures of codec 2; H.264 and H.265 are read' }]);
  });
});

describe('bad input to RTMP', () => {
  test.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n'), 'not RTMP, or RTMPE'],
    [
      'a message of 16 MiB',
      Buffer.concat([rtmpGreeting, Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0])]),
      'a message of 16777215 bytes; the limit is 8388608',
    ],
    [
      'a chunk without a header',
      Buffer.concat([rtmpGreeting, Buffer.from([0xc5])]),
      'chunk stream 5 begins without a full header',
    ],
    [
      'a thousand chunk streams',
      Buffer.concat([
        rtmpGreeting,
        ...Array.from({ length: 1000 }, (_, id) => Buffer.from([0, id & 0xff, ...new Array<number>(11).fill(0)])),
      ]),
      'more than 64 chunk streams',
    ],
    [
      'AMF a thousand deep',
      Buffer.concat([rtmpGreeting, rtmpMessage(20, 0, Buffer.from('030001'.repeat(1000) + '61', 'hex'), 3)]),
      'a command that cannot be read',
    ],
    [
      'an array of four thousand million values',
      Buffer.concat([rtmpGreeting, rtmpMessage(20, 0, Buffer.from('0affffffff0505', 'hex'), 3)]),
      'a command that cannot be read',
    ],
  ])('ends the connection with its reason: %s', (_name, bytes, reason) => {
    expect(ending(session().handle(0, bytes))).toBe(reason);
  });

  test('ends a connection that begins more messages than it may hold', () => {
    const made = publishing();
    const chunkBytes = 4 * 1_048_576;
    made.handle(0, rtmpMessage(1, 0, Buffer.from([0, 0x40, 0, 0]), 2));
    const begin = (id: number): Buffer =>
      Buffer.concat([Buffer.from([id, 0, 0, 0, 0x7f, 0xff, 0xff, 9, 0, 0, 0, 0]), Buffer.alloc(chunkBytes)]);
    for (const id of [10, 11, 12, 13]) expect(ending(made.handle(0, begin(id)))).toBeUndefined();
    expect(ending(made.handle(0, begin(14)))).toBe('too many messages at once');
  });

  test('prototype names in a command are names like others', () => {
    const values = decodeAmf(encodeAmf([{ ['__proto__']: 'x', constructor: 'y' }]));
    expect(Object.getPrototypeOf(values?.[0])).toBe(Object.prototype);
    expect(decodeAmf(encodeAmf([1, 'a', null, { key: 2 }]))).toEqual([1, 'a', null, { key: 2 }]);
  });

  test(
    'any bytes end at most the session, and nothing but units and answers comes out',
    () => {
      const random = new SeededRandom(31);
      const samples = [
        rtmpSetup(),
        rtmpConfigs(),
        ...units.map(rtmpUnit),
        rtmpMessage(1, 0, Buffer.from([0, 0, 16, 0]), 2),
      ];
      let made = publishing();
      let closed = 0;
      for (let input = 0; input < fuzzInputs; input++) {
        const bytes =
          random.float() < 0.3 ? (samples[input % samples.length] ?? Buffer.alloc(0)) : damaged(random, samples);
        const actions = [...made.handle(input * 1000, bytes), ...made.tick(input * 1000)];
        if (ending(actions) === undefined && input % 200 !== 0) continue;
        closed++;
        expect(actions.filter(({ kind }) => kind === 'close').length).toBeLessThanOrEqual(1);
        made = random.float() < 0.8 ? publishing() : session();
      }
      expect(closed).toBeGreaterThan(100);
    },
    fuzzTimeoutMs,
  );
});
