import type { WatchState } from '../beat-watch.ts';
import { REFUSAL_REASONS } from '../recovery/recovery-policy.ts';
import type { RecoveryCounters } from '../recovery/recovery-counters.ts';
import type { Slot } from '../slots/slot.ts';

/** What of /metrics itself is counted. */
export interface ScrapeCounters {
  authFailures: number;
  rateLimited: number;
}

export interface MetricsInput {
  readonly state: WatchState;
  readonly recovery: RecoveryCounters;
  readonly scrapes: ScrapeCounters;
  readonly capacity: number;
  /** Seconds since the Unix epoch at which the observer last looked around. */
  readonly lastLookSeconds: number;
  readonly tsvLinesLost: number;
  readonly jsonLinesLost: number;
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number];

const decodeKinds = {
  BadMagic: 'bad_magic',
  BadVersion: 'bad_version',
  BadStatus: 'bad_status',
  BadPid: 'bad_pid',
  BadTimestamp: 'bad_timestamp',
  BadNonce: 'bad_nonce',
  StallOnWire: 'stall_on_wire',
  BadCrc: 'bad_crc',
} as const;
const statusNumbers = { Ok: 0, Degraded: 1, Critical: 2 } as const;
const stalledNumber = 3;

/** The metrics as Prometheus text (version 0.0.4), under the names of varta-watch where it has them. Pure. */
export function metricsText(input: MetricsInput): string {
  const families = [
    ...slotFamilies(input.state.slots),
    ...frameFamilies(input),
    ...trackerFamilies(input),
    ...recoveryFamilies(input.recovery),
    ...programFamilies(input),
  ];
  return families.map(familyText).join('');
}

function slotFamilies(slots: readonly Slot[]): Family[] {
  const each = (value: (slot: Slot) => number): Sample[] => slots.map((slot) => [{ pid: slot.pid }, value(slot)]);
  return [
    counter(
      'varta_beats_total',
      'Accepted beats.',
      each((slot) => slot.beats),
    ),
    counter(
      'varta_stalls_total',
      'Silence runs that reached the threshold.',
      each((slot) => slot.stalls),
    ),
    gauge(
      'varta_status',
      'Status of the last beat: 0 Ok, 1 Degraded, 2 Critical; 3 while stalled.',
      each((slot) => (slot.stalled ? stalledNumber : statusNumbers[slot.status])),
    ),
  ];
}

function frameFamilies({ state: { counters, facts, nowNs }, scrapes }: MetricsInput): Family[] {
  const decode = Object.entries(decodeKinds).map(([kind, label]): Sample => {
    return [{ kind: label }, counters.decodeErrors[kind as keyof typeof decodeKinds]];
  });
  return [
    counter('varta_decode_errors_total', 'Datagrams of 32 bytes that do not decode.', decode),
    total('varta_frame_auth_failures_total', 'Frames whose pid is not the sender’s.', counters.authFailures),
    total('varta_io_errors_total', 'Failures to receive, and senders that may not beat.', counters.ioErrors),
    total('varta_ctrl_truncated_total', 'Datagrams with cut ancillary data.', counters.ctrlTruncated),
    total('varta_truncated_datagrams_total', 'Datagrams of another size than a frame.', counters.truncatedDatagrams),
    total('varta_origin_conflict_total', 'Beats for a pid that another origin holds.', counters.originConflicts),
    total('varta_frame_namespace_mismatch_total', 'Beats from other PID namespaces.', counters.namespaceMismatches),
    total('varta_frame_rejected_pid_above_max_total', 'Frames with an impossible pid.', counters.pidAboveMax),
    single('varta_pid_max_current', 'The largest pid of this kernel.', facts.pidMax(nowNs)),
    counter('varta_rate_limited_total', 'Beats above a rate limit.', [
      [{ reason: 'per_pid' }, counters.rateLimitedPerPid],
      [{ reason: 'global' }, counters.rateLimitedGlobal],
    ]),
    total('varta_frame_decrypt_failures_total', 'Encrypted beats that no key opens.', counters.decryptFailures),
    total('varta_secure_aead_attempts_total', 'Keys tried on encrypted beats.', counters.aeadAttempts),
    total('varta_sender_state_full_total', 'Encrypted beats of one sender too many.', counters.senderStateFull),
    total('varta_prom_auth_failures_total', 'Scrapes without the right token.', scrapes.authFailures),
    counter('varta_prom_connections_dropped_total', 'Scrapes that were not served.', [
      [{ reason: 'rate_limit' }, scrapes.rateLimited],
    ]),
    total('adit_observer_out_of_order_total', 'Beats with a nonce that did not grow.', counters.outOfOrder),
    total('adit_observer_replays_total', 'Encrypted beats that were seen before.', counters.replays),
    total('adit_observer_probes_total', 'Empty datagrams.', counters.probes),
    total('adit_observer_full_queues_total', 'Times that the kernel may have refused beats.', counters.fullQueues),
    total('adit_observer_ring_overflow_total', 'Beats that found no room in memory.', counters.ringOverflow),
  ];
}

function trackerFamilies({ state: { counters, slots }, capacity }: MetricsInput): Family[] {
  return [
    total(
      'varta_tracker_namespace_conflict_total',
      'Beats from another namespace than before.',
      counters.namespaceConflicts,
    ),
    total('varta_nonce_wrap_total', 'Sequences that began again after the largest nonce.', counters.nonceWraps),
    total('adit_observer_nonce_restarts_total', 'Sequences that began again in the same pid.', counters.nonceRestarts),
    single('varta_tracker_capacity', 'Pids that can be watched at once.', capacity),
    total('varta_tracker_capacity_exceeded_total', 'Beats of new pids without room.', counters.capacityExceeded),
    total('varta_tracker_evicted_total', 'Pids that made room for others.', counters.evicted),
    total(
      'varta_tracker_eviction_scan_truncated_total',
      'Looks for room that saw not all.',
      counters.evictionScanTruncated,
    ),
    single('varta_watch_pids_tracked', 'Pids that are watched now.', slots.length),
  ];
}

function recoveryFamilies(recovery: RecoveryCounters): Family[] {
  return [
    counter(
      'varta_recovery_outcomes_total',
      'What became of recoveries.',
      [...recovery.outcomes].map(([outcome, count]): Sample => [{ outcome }, count]),
    ),
    counter(
      'varta_recovery_refused_total',
      'Recoveries that were refused.',
      REFUSAL_REASONS.map((reason): Sample => [{ reason }, recovery.refused(reason)]),
    ),
    total('varta_recovery_duration_ns_sum', 'Time that recovery commands took.', recovery.durationNsSum),
    total('varta_recovery_duration_count_total', 'Recovery commands that ended.', recovery.durations),
  ];
}

function programFamilies({ state, lastLookSeconds, tsvLinesLost, jsonLinesLost }: MetricsInput): Family[] {
  return [
    single('varta_watch_uptime_seconds', 'Time since the observer started.', state.nowNs / 1e9),
    single('varta_watch_last_poll_loop_timestamp_seconds', 'When the observer last looked around.', lastLookSeconds),
    single('varta_observer_uds_rcvbuf_bytes', 'Receive buffer that the kernel granted.', state.receiveBufferBytes ?? 0),
    total(
      'varta_observer_clock_jump_forward_total',
      'Times that the observer did not run for more than half the threshold.',
      state.counters.selfPauses,
    ),
    single('adit_observer_stall_lateness_seconds', 'How late the last Stall was.', state.stallLatenessSeconds),
    single('adit_observer_receive_lag_seconds', 'How long the last beat waited in memory.', state.receiveLagSeconds),
    total('adit_observer_export_lines_lost_total', 'Lines that the export file did not take.', tsvLinesLost),
    total('adit_observer_json_lines_lost_total', 'Lines that standard output did not take.', jsonLinesLost),
  ];
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples };
}

function total(name: string, help: string, value: number): Family {
  return counter(name, help, [[{}, value]]);
}

function single(name: string, help: string, value: number): Family {
  return gauge(name, help, [[{}, value]]);
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
