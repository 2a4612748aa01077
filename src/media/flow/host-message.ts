import type { MessagePort } from 'node:worker_threads';
import type { MediaEvent } from './flow-event.ts';
import type { FlowSettings, OutputSettings } from './flow-settings.ts';
import type { FlowReport } from './flow-stats.ts';

/** What the main thread asks of the worker; each is answered by `id`. */
export type HostOrder =
  | { readonly kind: 'start-flow'; readonly flow: FlowSettings }
  | { readonly kind: 'stop-flow'; readonly flowId: string }
  | { readonly kind: 'add-output'; readonly flowId: string; readonly output: OutputSettings }
  | { readonly kind: 'remove-output'; readonly flowId: string; readonly outputId: string }
  | { readonly kind: 'stop' };

export type HostRequest =
  | { readonly id: number; readonly order: HostOrder }
  /** The way into a tunnel that flows may name in any of these ways; datagrams go both ways over the port. */
  | { readonly tunnels: readonly string[]; readonly port: MessagePort };

/** What the worker says. */
export type HostMessage =
  /** `error` is null where it was done. */
  | { readonly kind: 'answer'; readonly id: number; readonly error: string | null }
  | { readonly kind: 'event'; readonly flowId: string; readonly event: MediaEvent }
  | { readonly kind: 'reports'; readonly reports: readonly FlowReport[] };
