import { certificateEndsSoon, ProgramBeats, type BeatFacts } from '../beat-sender/program-beats.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { ManagerHealth } from './extension-points.ts';

interface ManagerBeatsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Beats to the observer of the config, not started; null without one. `certificate` is the one that is shown now. */
export function createManagerBeats(
  { observer }: ManagerConfig,
  dependencies: ManagerBeatsDependencies,
  health: ManagerHealth & { readonly isStopping: boolean },
  certificate: () => string,
): ProgramBeats | null {
  if (observer === undefined) return null;
  const facts = (): BeatFacts => ({
    status: health.notReady().length === 0 ? 'Ok' : 'Degraded',
    // Nodes dial it; it dials no one.
    managerConnected: false,
    draining: health.isStopping,
    certificateEndsSoon: certificateEndsSoon(certificate(), dependencies.clock),
    // The database's own machine may be another; that it takes no events is in the status.
    diskFull: false,
  });
  return new ProgramBeats('manager', observer, { ...dependencies, facts });
}
