import { describe, expect, it } from 'vitest';
import { machineProblems, readOpenFileLimit } from '../../../../src/cli/service/machine-checks.ts';

const sound = { nowMs: 1_800_000_000_000, openFileLimit: 65_536 };
const asked = 4_194_304;

describe('the checks of the machine', () => {
  it('find nothing wrong with a sound one', () => {
    expect(machineProblems(sound)).toEqual([]);
    const granted = [asked, 2 * asked, null];
    expect(machineProblems({ ...sound, openFileLimit: null, socketBuffers: { asked, granted } })).toEqual([]);
    expect(machineProblems({ ...sound, socketBuffers: { asked, granted: [null] } })).toEqual([]);
  });

  it('tell small UDP buffers, with the command that mends them', () => {
    const [found] = machineProblems({ ...sound, socketBuffers: { asked, granted: [asked, 212_992] } });
    expect(found?.problem).toContain('212992 bytes where 4194304 were asked for');
    expect(found?.remedy).toContain('sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304');
  });

  it('tell a low limit of open files and a clock that is years behind', () => {
    expect(machineProblems({ nowMs: 0, openFileLimit: 1024 }).map(({ problem }) => problem)).toEqual([
      'only 1024 files may be open at once',
      'the clock of this machine is years behind, so no certificate will seem valid',
    ]);
  });

  it('read the limit of this process', async () => {
    const limit = await readOpenFileLimit();
    expect(limit === null || limit > 0).toBe(true);
  });
});
