import type { FlowPartDependencies } from './flow-part.ts';
import type { SrtLegSettings } from './flow-settings.ts';
import { legOpener, SrtLeg, type SrtLegLimits, type SrtLegObserver } from './srt-leg.ts';

export type ReportingLegDependencies = Pick<
  FlowPartDependencies,
  'clock' | 'random' | 'pulse' | 'openSocket' | 'openTunnel' | 'resolve' | 'report'
>;

export interface ReportingLegSettings {
  readonly leg: SrtLegSettings;
  readonly limits: SrtLegLimits;
  /** Of the events: an output's id, or null for the input; the leg's number where there are two. */
  readonly side: { readonly outputId: string | null; readonly leg: 1 | 2 | null };
}

/** What input and output do differently. `connected` comes before the event. */
export interface ReportingLegHooks extends Pick<SrtLegObserver, 'deliver' | 'disconnected' | 'lost'> {
  connected(): void;
}

/** An SRT leg that raises the events of its connections and failed attempts. */
export function createReportingLeg(
  dependencies: ReportingLegDependencies,
  { leg, limits, side }: ReportingLegSettings,
  hooks: ReportingLegHooks,
): SrtLeg {
  const { clock, random, pulse, resolve, report } = dependencies;
  const { mode } = leg;
  const observer: SrtLegObserver = {
    deliver: (payload, dueUs, connection) => hooks.deliver(payload, dueUs, connection),
    connected: ({ agreement: { streamId } }, remoteAddr, cycle) => {
      hooks.connected();
      report({ kind: 'srt-connected', ...side, mode, remoteAddr, streamId, ...cycle });
    },
    disconnected: (connection, remoteAddr, reason) => hooks.disconnected(connection, remoteAddr, reason),
    failed: (error, remoteAddr, attempts) => report({ kind: 'srt-failed', ...side, error, remoteAddr, attempts }),
    lost: (error) => hooks.lost(error),
  };
  return new SrtLeg({ clock, random, pulse, resolve, open: legOpener(dependencies), observer }, leg, limits);
}
