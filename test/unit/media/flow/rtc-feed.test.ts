import { describe, expect, test } from 'vitest';
import { RtcFeed } from '../../../../src/media/flow/rtc-feed.ts';
import { TsMuxer } from '../../../../src/media/mpegts/ts-muxer.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { picture } from '../../../support/media/media-samples.ts';

const frameTicks = 3600;
const frameMs = 40;

/** A feed and the encoder in front of it, 25 pictures a second. */
function feedBed() {
  const clock = new ManualClock();
  const problems: string[] = [];
  const feed = new RtcFeed({ clock, send: () => undefined, unfit: (problem) => problems.push(problem) });
  const muxer = new TsMuxer();
  let number = 0;
  /** With B-frames each third picture is shown before the one that came before it. */
  const encode = (pictures: number, options: { withBFrames?: boolean; codec?: 'h264' | 'h265' } = {}): void => {
    const { withBFrames = false, codec = 'h264' } = options;
    muxer.setTracks({ video: codec, audio: null });
    for (let count = 0; count < pictures; count++, number++) {
      clock.advance(frameMs);
      const dts = number * frameTicks;
      const delay = withBFrames ? ([1, 3, 0][number % 3] ?? 0) : 0;
      const unit = picture(codec, dts, number % 12 === 0, 200, dts + delay * frameTicks);
      for (const chunk of muxer.push(clock.monotonicMs() * 1000, unit)) feed.push(chunk);
    }
  };
  return { feed, problems, encode };
}

describe('a stream for WebRTC', () => {
  test.each([
    ['with B-frames', { withBFrames: true }, 'source has B-frames'],
    ['of H.265', { codec: 'h265' }, 'source is not H.264'],
  ] as const)(
    '%s is unfit, said once, and fit again ten seconds after its encoder was set right',
    (_, wrong, problem) => {
      const { feed, problems, encode } = feedBed();
      encode(50);
      expect(feed.problem).toBeNull();
      encode(500, wrong);
      expect(feed.problem).toBe(problem);
      encode(200);
      expect(feed.problem).toBe(problem);
      encode(100);
      expect(feed.problem).toBeNull();
      expect(problems).toEqual([problem]);
      encode(50, wrong);
      expect(problems).toEqual([problem, problem]);
    },
  );
});
