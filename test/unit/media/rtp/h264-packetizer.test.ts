import { describe, expect, test } from 'vitest';
import { packetizeH264 } from '../../../../src/media/rtp/h264-packetizer.ts';
import { VideoDepacketiser } from '../../../../src/media/rtp/video-depacketiser.ts';

/** A NAL unit of `bytes` that begins as an IDR slice does. */
function nal(bytes: number): Buffer {
  return Buffer.from([0x65, ...Array.from({ length: bytes - 1 }, (_, at) => 1 + (at % 250))]);
}

describe('a picture in RTP', () => {
  test.each([1, 2, 10, 99, 100, 101, 198, 199, 1000])('of %i bytes comes out as it went in', (bytes) => {
    const nals = [Buffer.from('6742c01fd9', 'hex'), Buffer.from('68cb83cb20', 'hex'), nal(Math.max(2, bytes))];
    const parts = packetizeH264(nals, 100);
    expect(parts.every(({ payload }) => payload.length <= 100)).toBe(true);
    expect(parts.map(({ marker }) => marker)).toEqual(parts.map((_, index) => index === parts.length - 1));
    const reader = new VideoDepacketiser('h264');
    const pictures = parts.flatMap(({ payload, marker }, sequence) =>
      reader.push({ sequence, timestamp: 9000, marker, payload, payloadType: 96, ssrc: 1 }),
    );
    expect(pictures).toEqual([{ timestamp: 9000, isKey: true, nals }]);
  });

  test('of no NAL unit makes no packet', () => {
    expect(packetizeH264([], 100)).toEqual([]);
  });
});
