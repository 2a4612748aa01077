import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LoopGuard } from '../../../src/lib/loop-pulse.ts';
import { loopTimeMs } from '../../../src/lib/loop-time.ts';

it('does not count the time in which the main thread waited for a core', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-loop-time-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'schedstat');
  const before = loopTimeMs(join(folder, 'not there'));
  writeFileSync(path, `52944000000 3600000000000 12\n`);
  expect(loopTimeMs(path)).toBeLessThan(before - 3_000_000);
  expect(loopTimeMs(join(folder, 'not there'))).toBeGreaterThanOrEqual(before);
});

it('leaves a loop alone that waits for a core, and not one that runs without turning', () => {
  const guard = new LoopGuard({ turns: new Int32Array(new SharedArrayBuffer(4)), limitMs: 1000 });
  let ms = 1000;
  const looks = (count: number, gainMs: number): boolean[] =>
    Array.from({ length: count }, () => guard.isStuck((ms += gainMs)));
  // Of 100 ms each 95 were waited; the kernel counts a wait when it is over, so time may step back.
  expect(looks(100, 5)).not.toContain(true);
  expect(looks(1, -50)).not.toContain(true);
  expect(looks(20, 100)).toContain(true);
});
