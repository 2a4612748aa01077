import { expect, it } from 'vitest';
import { legsTrial } from '../../support/media/legs-trial.ts';

/** `npm run long:media` does the same for ten minutes. */
it.each([
  ['RTP', true],
  ['raw TS', false],
])(
  'two SRT legs of %s make one stream while libsrt loses packets on one and the other is cut twice',
  async (_name, rtp) => {
    const result = await legsTrial({ seconds: 18, rtp, everySecs: 9, cutSecs: 4 });
    expect(result).toMatchObject({ missing: 0, repeated: 0, cuts: 2, lost: 2, connected: 3 });
    expect(result.packets).toBeGreaterThan(result.sent - 100);
  },
);
