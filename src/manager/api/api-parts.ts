import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { SignIn } from '../access/sign-in.ts';
import type { Users } from '../access/users.ts';
import type { ManagerConfig } from '../config/manager-config.ts';
import type { Fleet } from '../fleet.ts';
import type { FlapCounter } from '../live/flap-counter.ts';
import type { FleetMirror } from '../live/fleet-mirror.ts';
import type { FlowHistory } from '../live/flow-history.ts';
import type { StatsHistory } from '../live/stats-history.ts';
import type { AccessStore } from '../store/access-store.ts';

/** What the resources of the API are made of. */
export interface ApiParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ManagerConfig;
  readonly certificateFingerprint: string;
  readonly fleet: Fleet;
  readonly mirror: FleetMirror;
  readonly history: StatsHistory;
  readonly flowHistory: FlowHistory;
  readonly flaps: FlapCounter;
  readonly access: AccessStore;
  readonly signIn: SignIn;
  readonly users: Users;
}
