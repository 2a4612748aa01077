import { expect, it } from 'vitest';
import { legsTrial } from '../../support/media/legs-trial.ts';

/** `npm run long:media` does the same for ten minutes. */
it.each([
  ['of RTP make one stream while libsrt loses packets on one and the other is cut twice', true, false],
  ['of raw TS make one stream while libsrt loses packets on one and the running one is cut twice', false, true],
])('two SRT legs %s', async (_name, rtp, inTurns) => {
  const result = await legsTrial({ seconds: 18, rtp, inTurns, everySecs: 9, cutSecs: 4 });
  expect(result).toMatchObject({ missing: 0, repeated: 0, cuts: 2, lost: 2, connected: 4 });
  expect(result.packets).toBeGreaterThan(result.sent - 100);
});
