import { describe, expect, test } from 'vitest';
import { readOffer, trimCandidates, withBundledPorts, withPublicAddress } from '../../../../src/media/webrtc/sdp.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';
import { damaged, fuzzInputs } from '../../../support/media/fuzz.ts';

const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0'];
const video = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 98 102 108',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:98 H264/90000',
  'a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f',
  'a=rtpmap:102 H264/90000',
  'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f',
  'a=rtpmap:108 H264/90000',
  'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
];
const audio = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2'];
const lines = (...parts: readonly string[][]): string => [...parts.flat(), ''].join('\r\n');

describe('an offer', () => {
  test('is read for H.264 that can be cut into packets, Baseline first, and for Opus', () => {
    const parameters = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';
    expect(readOffer(lines(head, audio, video))).toEqual({
      hasVideo: true,
      hasOpus: true,
      h264: { payloadType: 108, parameters },
    });
    expect(readOffer(lines(head, video.slice(0, 6)))).toMatchObject({ hasOpus: false, h264: { payloadType: 102 } });
  });

  test('without H.264 of that kind, without video, or that is no SDP is told apart', () => {
    expect(readOffer(lines(head, video.slice(0, 4)))).toMatchObject({ hasVideo: true, h264: null });
    expect(readOffer(lines(head, audio))).toMatchObject({ hasVideo: false, h264: null });
    for (const text of ['', 'hello', 'v=0', lines(head)]) expect(readOffer(text)).toBeNull();
  });

  test('of any bytes is read without an error', () => {
    const random = new SeededRandom(5);
    const samples = [Buffer.from(lines(head, audio, video))];
    for (let input = 0; input < fuzzInputs / 10; input++) {
      const text = damaged(random, samples).toString('latin1');
      const offer = readOffer(text);
      expect(offer === null || typeof offer.hasOpus === 'boolean').toBe(true);
      expect(typeof trimCandidates(text)).toBe('string');
    }
  });
});

test('what is only bundled is given a port, and what is refused is not', () => {
  const sound = (port: number): string[] => [`m=audio ${port} UDP/TLS/RTP/SAVPF 97`, 'a=bundle-only'];
  const refused = ['m=application 0 UDP/DTLS/SCTP webrtc-datachannel'];
  const offer = lines(head, video, sound(0), refused);
  expect(withBundledPorts(offer)).toBe(lines(head, video, sound(9), refused));
});

describe('candidates', () => {
  const candidate = (address: string): string => `a=candidate:1 1 udp 2113937151 ${address} 50000 typ host`;

  test('with names of another network are left out, and more than a peer has', () => {
    const many = Array.from({ length: 100 }, (_, index) => candidate(`192.0.2.${index}`));
    const sdp = lines(head, video, [candidate('8a4f.local'), ...many, candidate('2001:db8::1')]);
    const kept = trimCandidates(sdp).split('\r\n');
    expect(kept.filter((line) => line.startsWith('a=candidate:'))).toEqual(many.slice(0, 24));
    expect(kept.filter((line) => !line.startsWith('a=candidate:'))).toEqual(lines(head, video).split('\r\n'));
  });

  test('get the public address in front of the own one, of the same family', () => {
    const sdp = lines(head, [candidate('10.0.0.5'), candidate('2001:db8::1')]);
    expect(withPublicAddress(sdp, '198.51.100.7')).toBe(
      lines(head, [candidate('198.51.100.7'), candidate('10.0.0.5'), candidate('2001:db8::1')]),
    );
  });
});
