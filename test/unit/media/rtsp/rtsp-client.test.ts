import { describe, expect, test } from 'vitest';
import { Challenge } from '../../../../src/media/rtsp/authorization.ts';
import { RtspClient, type RtspAction, type RtspSettings } from '../../../../src/media/rtsp/rtsp-client.ts';
import { parseSdp } from '../../../../src/media/rtsp/sdp.ts';
import { damaged, fuzzInputs, fuzzTimeoutMs } from '../../../support/media/fuzz.ts';
import { aacFrame, h264Sets, picture } from '../../../support/media/media-samples.ts';
import { RtpPacketiser } from '../../../support/media/rtp-packetiser.ts';
import { rtspSdp } from '../../../support/media/rtsp-server.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const url = 'rtsp://camera.example/s';
const settings: RtspSettings = { url, credentials: null, transport: 'tcp', timeoutMs: 10_000 };

function client(changes: Partial<RtspSettings> = {}): RtspClient {
  return new RtspClient(
    new SeededRandom(1),
    { ...settings, ...changes },
    [
      { rtp: 5000, rtcp: 5001 },
      { rtp: 5002, rtcp: 5003 },
    ],
    0,
  );
}

function response(headers = '', body = '', status = '200 OK'): Buffer {
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`RTSP/1.0 ${status}\r\nCSeq: 1\r\n${headers}${length}\r\n${body}`);
}

const options = response('Public: OPTIONS, GET_PARAMETER\r\n');
const described = response('Content-Base: rtsp://camera.example/s/\r\n', rtspSdp);
const setUp = response('Session: abc;timeout=60\r\nTransport: RTP/AVP/TCP;unicast\r\n');
const plays = response(
  'RTP-Info: url=rtsp://camera.example/s/track1;rtptime=0,url=rtsp://camera.example/s/track2;rtptime=0\r\n',
);

function sent(actions: readonly RtspAction[]): string {
  return actions.map((action) => (action.kind === 'send' ? action.bytes.toString() : '')).join('');
}

function lost(actions: readonly RtspAction[]): string | undefined {
  return actions.flatMap((action) => (action.kind === 'lost' ? [action.error] : []))[0];
}

function playing(made = client()): RtspClient {
  made.start(0);
  for (const bytes of [options, described, setUp, setUp, plays]) made.handle(0, bytes);
  return made;
}

function frame(channel: number, packet: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x24, channel, packet.length >> 8, packet.length & 0xff]), packet]);
}

const units = [picture('h264', 0, true, 5000), aacFrame(0), picture('h264', 3600, false, 300), aacFrame(1920)];

function frames(): Buffer[] {
  const [video, audio] = [new RtpPacketiser(96, 90_000), new RtpPacketiser(96, 48_000)];
  return units.flatMap((unit) => {
    return (unit.codec === 'aac' ? audio : video)
      .packets(unit)
      .map((packet) => frame(unit.codec === 'aac' ? 2 : 0, packet));
  });
}

describe('an RTSP client', () => {
  test('asks for one thing after the other, and for the streams where the server says they are', () => {
    const made = client();
    const requests = [sent(made.start(0))];
    for (const bytes of [options, described, setUp, setUp]) requests.push(sent(made.handle(0, bytes)));
    expect(requests.map((request) => request.split(' RTSP/1.0')[0])).toEqual([
      `OPTIONS ${url}`,
      `DESCRIBE ${url}`,
      'SETUP rtsp://camera.example/s/track1',
      'SETUP rtsp://camera.example/s/track2',
      'PLAY rtsp://camera.example/s/',
    ]);
    expect(requests[3]).toContain('Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n');
    expect(requests[4]).toContain('Session: abc\r\n');
    expect(made.handle(0, plays).map(({ kind }) => kind)).toEqual(['playing']);
  });

  test('gives out pictures and sound of two streams with the same payload type, byte by byte as well', () => {
    const whole = playing();
    const out = whole
      .handle(0, Buffer.concat(frames()))
      .flatMap((action) => (action.kind === 'unit' ? [action.unit] : []));
    expect(out).toEqual(units);
    const slow = playing();
    const bytes = Buffer.concat(frames());
    const slowly = Array.from(bytes, (byte) => slow.handle(0, Buffer.from([byte]))).flat();
    expect(slowly.filter(({ kind }) => kind === 'unit')).toHaveLength(units.length);
  });

  test('over UDP says its ports, opens the way, and takes datagrams', () => {
    const made = client({ transport: 'udp' });
    made.start(0);
    made.handle(0, options);
    expect(sent(made.handle(0, described))).toContain('client_port=5000-5001');
    const server = response('Session: abc\r\nTransport: RTP/AVP;unicast;server_port=6000-6001\r\n');
    expect(made.handle(0, server)[0]).toEqual({ kind: 'punch', track: 0, rtpPort: 6000, rtcpPort: 6001 });
    made.handle(0, server);
    made.handle(0, plays);
    const packets = new RtpPacketiser(96, 90_000).packets(picture('h264', 0, true));
    expect(packets.flatMap((packet) => made.datagram(0, 0, packet)).map(({ kind }) => kind)).toEqual(['unit']);
  });

  test('keeps the session alive at half its time, with what the server knows', () => {
    const made = playing();
    made.handle(20e6, frames()[0] ?? Buffer.alloc(0));
    made.handle(29e6, frames()[0] ?? Buffer.alloc(0));
    expect(made.tick(29.9e6)).toEqual([]);
    expect(sent(made.tick(30e6))).toMatch(/^GET_PARAMETER rtsp:\/\/camera\.example\/s\/ /);
    expect(made.handle(30e6, response('', '', '405 Not Allowed'))).toEqual([]);
  });

  test('proves again who it is when the nonce has ended at a sign of life, and plays on', () => {
    const made = playing(client({ credentials: { username: 'cam', password: 'secret' } }));
    const newer = (nonce: string) =>
      response(`WWW-Authenticate: Digest realm="r", nonce="${nonce}", stale=true\r\n`, '', '401 No');
    made.handle(29e6, frames()[0] ?? Buffer.alloc(0));
    made.tick(30e6);
    for (const nonce of ['first', 'second']) {
      const again = sent(made.handle(31e6, newer(nonce)));
      expect(again).toMatch(new RegExp(`^GET_PARAMETER [^]*nonce="${nonce}"`));
      expect(made.handle(31e6, response())).toEqual([]);
    }
    const refused = response('WWW-Authenticate: Digest realm="r", nonce="n"\r\n', '', '401 No');
    expect(lost(made.handle(32e6, refused))).toBeUndefined();
    expect(lost(made.handle(32e6, refused))).toBe('the server has ended the session (401 No)');
  });

  test('answers a challenge once: Digest where it can, else Basic', () => {
    const credentials = { username: 'cam', password: 'pw' };
    const both = response(
      'WWW-Authenticate: Basic realm="r"\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n',
      '',
      '401 No',
    );
    const made = client({ credentials });
    made.start(0);
    made.handle(0, options);
    expect(sent(made.handle(0, both))).toMatch(
      /DESCRIBE [^]*Authorization: Digest username="cam", realm="r", nonce="n"/,
    );
    expect(lost(made.handle(0, both))).toBe('the user name or the password is wrong');
    const stale = response('WWW-Authenticate: Digest realm="r", nonce="m", stale=true\r\n', '', '401 No');
    const again = client({ credentials });
    again.start(0);
    again.handle(0, options);
    again.handle(0, both);
    expect(sent(again.handle(0, stale))).toContain('nonce="m"');
    // A server that wants a newer nonce for ever is not followed.
    expect(lost(again.handle(0, stale))).toBe('the user name or the password is wrong');
    const basic = client({ credentials });
    basic.start(0);
    expect(sent(basic.handle(0, response('WWW-Authenticate: Basic realm="r"\r\n', '', '401 No')))).toContain(
      'Basic Y2FtOnB3',
    );
  });

  test('the answer to a Digest is that of RFC 7616 and RFC 2617', () => {
    const credentials = { username: 'Mufasa', password: 'Circle of Life' };
    const values = [
      'realm="http-auth@example.org"',
      'qop="auth, auth-int"',
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
    ];
    const answer = (algorithm: string): string =>
      Challenge.parse([`Digest ${[...values, `algorithm=${algorithm}`].join(', ')}`])?.answer(
        credentials,
        'GET',
        '/dir/index.html',
        'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      ) ?? '';
    expect(answer('MD5')).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
    expect(answer('SHA-256')).toContain('response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"');
  });

  test.each([
    ['404', [options, response('', '', '404 Not Found')], 'DESCRIBE was refused: 404 Not Found'],
    ['401', [options, response('', '', '401 No')], 'the server wants a user name and password'],
    [
      'nothing that is known here',
      [options, response('', 'm=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n')],
      'no stream that can be carried; the server offers JPEG',
    ],
    ['no session', [options, described, response()], 'the server gave no session'],
    [
      'UDP where TCP was asked for',
      [options, described, response('Session: a\r\nTransport: RTP/AVP;unicast\r\n')],
      'the server does not send over TCP; set transport to "udp"',
    ],
    ['another protocol', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], 'the server sent an answer that is not RTSP'],
    ['a header without end', [Buffer.alloc(40_000, 0x41)], 'the server sent a header of more than 32768 bytes'],
    [
      'a description of 1 MiB',
      [options, response('Content-Length: 1048576\r\n')],
      'the server sent a body of 1048576 bytes; the limit is 65536',
    ],
    [
      'a negative length',
      [options, response('Content-Length: -1\r\n')],
      'the server sent a body of -1 bytes; the limit is 65536',
    ],
  ])('is lost with the reason when the server answers %s', (_name, answers, reason) => {
    const made = client();
    made.start(0);
    expect(answers.map((bytes) => lost(made.handle(0, bytes))).at(-1)).toBe(reason);
    expect(made.nextUs).toBe(Number.POSITIVE_INFINITY);
  });

  test('is lost when no answer, and when no media comes, and when the server ends the session', () => {
    const silent = client();
    silent.start(0);
    expect(lost(silent.tick(10e6))).toBe('no answer for 10 s');
    expect(lost(playing().tick(10e6))).toBe('no media for 10 s');
    expect(lost(playing().handle(0, Buffer.from('TEARDOWN * RTSP/1.0\r\nCSeq: 7\r\n\r\n')))).toBe(
      'the server has ended the session',
    );
    expect(sent(playing().handle(0, Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n')))).toBe(
      'RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n',
    );
    expect(playing().teardown()?.toString()).toMatch(/^TEARDOWN /);
  });
});

describe('a session description', () => {
  test('names the streams that can be carried, with their parameter sets', () => {
    const { tracks, control } = parseSdp(rtspSdp);
    expect(control).toBe('*');
    expect(tracks.map(({ kind, clockRate, control: own }) => [kind, clockRate, own])).toEqual([
      ['video', 90_000, 'track1'],
      ['audio', 48_000, 'track2'],
    ]);
    expect(tracks[0]?.parameterSets).toEqual(h264Sets);
    expect(tracks[1]?.format).toMatchObject({ codec: 'aac', config: { sampleRate: 48_000, channels: 2 } });
  });

  test('with a thousand streams, or with none that makes sense, is read all the same', () => {
    expect(parseSdp('m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n'.repeat(1000)).tracks).toHaveLength(1);
    expect(parseSdp('m=audio 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n').tracks).toEqual([]);
    expect(parseSdp('m=video\r\na=rtpmap:x y/0\r\na=fmtp\r\n').tracks).toEqual([]);
  });
});

describe('bad input to RTSP', () => {
  test(
    'any bytes of a server end at most the attempt',
    () => {
      const random = new SeededRandom(51);
      const samples = [options, described, setUp, plays, ...frames()];
      const credentials = { username: 'a\r\nb', password: 'c' };
      let made = client({ credentials });
      let ended = 0;
      for (let input = 0; input < fuzzInputs; input++) {
        const bytes =
          random.float() < 0.5 ? (samples[input % samples.length] ?? Buffer.alloc(0)) : damaged(random, samples);
        const actions = [...made.handle(input * 1000, bytes), ...made.tick(input * 1000)];
        expect(sent(actions)).not.toMatch(/\n[^:\r]+\r\n[^\r]*\n\n/);
        if (lost(actions) === undefined && input % 300 !== 0) continue;
        ended++;
        made = random.float() < 0.7 ? playing(client({ credentials })) : client();
      }
      expect(ended).toBeGreaterThan(100);
    },
    fuzzTimeoutMs,
  );
});
