import { setImmediate } from 'node:timers/promises';
import { LateClock } from '../fakes/late-clock.ts';
import { ApiBed, type ApiBedOptions } from './api-bed.ts';

const periodMs = 5_000;

/** An API bed whose nodes have reported their stats so many times, every 5 s until now. */
export async function bedWithPast(reports: number, options: Omit<ApiBedOptions, 'clock'> = {}): Promise<ApiBed> {
  const clock = new LateClock(reports * periodMs);
  const bed = await ApiBed.start({ ...options, clock });
  for (let times = 0; times < reports; times += 1) {
    clock.pass(periodMs);
    bed.fleet.report();
    await setImmediate();
  }
  return bed;
}
