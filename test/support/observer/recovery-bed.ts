import { SystemClock } from '../../../src/lib/clock.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import type { AuditLog } from '../../../src/observer/recovery/audit-log.ts';
import {
  RecoveryRunner,
  type RecoveryNews,
  type RecoverySettings,
} from '../../../src/observer/recovery/recovery-runner.ts';
import type { Slot } from '../../../src/observer/slots/slot.ts';
import type { ManualClock } from '../fakes/manual-clock.ts';
import { silentLogger } from '../fakes/silent-logger.ts';

export interface RecoveryBedOptions {
  readonly argv: readonly string[];
  readonly audit?: AuditLog;
  readonly clock?: ManualClock;
  readonly logger?: Logger;
  readonly settings?: Partial<RecoverySettings>;
}

/** A recovery runner for agents that stay silent, and what it reported. */
export function startRecovery(options: RecoveryBedOptions) {
  const news: RecoveryNews[] = [];
  const clock = options.clock ?? new SystemClock();
  const settings: RecoverySettings = {
    command: { argv: options.argv, source: 'inline' },
    policy: { debounceNs: 1e9, maxChildren: 4, ownNamespace: null, allowCrossNamespace: false },
    ...{ timeoutMs: null, env: {}, inheritEnv: false, captureBytes: null, shutdownGraceMs: 5000 },
    ...options.settings,
  };
  const runner = new RecoveryRunner(
    {
      clock,
      logger: options.logger ?? silentLogger,
      nowNs: () => clock.monotonicMs() * 1e6,
      slotOf: silentSlot,
      audit: (record) => options.audit?.append(record),
      news: (each) => void news.push(each),
    },
    settings,
  );
  return { runner, news };
}

export function silentSlot(pid: number): Slot {
  const rest = { status: 'Ok', payload: 0, lastNs: 0, startTime: null, stalled: true, beats: 1, stalls: 1 } as const;
  return { pid, nonce: 1n, origin: 'KernelAttested', nsInode: null, ...rest };
}
