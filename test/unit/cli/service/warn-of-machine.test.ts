import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { warnOfMachine } from '../../../../src/cli/service/warn-of-machine.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

const asked = 4_194_304;
const isLinux = process.platform === 'linux';

async function problems(granted: readonly (number | null)[]): Promise<readonly unknown[]> {
  const logger = new RecordingLogger();
  await warnOfMachine({ clock: new ManualClock(), logger }, { asked, granted });
  return logger.lines.map(({ fields }) => fields['problem']).filter((text) => String(text).includes('UDP buffers'));
}

describe('the look at the machine', () => {
  it('knows that Linux reports a buffer as twice its size', async () => {
    expect(await problems([asked * (isLinux ? 2 : 1), null])).toEqual([]);
    const half = asked / 2;
    expect(await problems([half * (isLinux ? 2 : 1)])).toEqual([
      `the kernel granted UDP buffers of ${half} bytes where ${asked} were asked for; bursts will be lost`,
    ]);
  });
});
