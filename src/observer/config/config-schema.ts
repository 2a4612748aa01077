import { z } from 'zod';
import {
  apiToken,
  anyText,
  choice,
  flag,
  logLevelSchema,
  shown,
  socketAddressText,
  text,
  whole,
} from '../../config/schema-parts.ts';
import { isIpLiteral } from '../../lib/ip-literal.ts';
import { managerSchema } from '../../node-link/manager-config.ts';

const maxNumber = Number.MAX_SAFE_INTEGER;
const path = (meaning: string) => text().nullable().default(null).describe(meaning);
const count = (min: number, initial: number, meaning: string) =>
  whole(min, 1_000_000_000).default(initial).describe(meaning);
const accepted = (meaning: string) => flag().default(false).describe(meaning);

const socketMode = anyText('octal digits in quotes, such as "0600"')
  .regex(/^0?[0-7]{3}$/, { error: 'is not three octal digits; write for example "0660"' })
  .default('0600')
  .describe('Mode of the socket, octal. Users in allowed_uids need write permission.');

const label = z.strictObject({
  pidfile: text().optional().describe('The file holds the pid.'),
  cgroup: text().optional().describe('The name of the process’s control group holds this, such as a unit’s name.'),
  comm: text().optional().describe('The name of the process (/proc/PID/comm).'),
});

/** The keys of observer.json, as they are written. Each is a flag too: `threshold_ms` is `--threshold-ms`. */
export const observerFileSchema = z.strictObject({
  $schema: z.string().optional(),
  socket: path('The UNIX datagram socket that agents beat to.'),
  threshold_ms: whole(10, 2_147_483_647).describe('Silence that raises a Stall.'),
  socket_mode: socketMode,
  uds_rcvbuf_bytes: count(0, 1_048_576, 'Receive buffer asked of the kernel; 0 leaves its default.'),
  read_timeout_ms: count(1, 100, 'Accepted for varta-watch’s sake; has no effect.'),
  allowed_uids: z
    .array(whole(0, 4_294_967_295))
    .nullable()
    .default(null)
    .describe('Users that may beat; the observer’s own unless it is set.'),
  tracker_capacity: whole(1, 4096).default(256).describe('Pids that are watched at once.'),
  tracker_eviction_policy: choice(['strict', 'balanced'])
    .default('strict')
    .describe('Which pid makes room: strict takes only stalled ones, balanced any that was silent as long.'),
  eviction_scan_window: whole(1, 4096).default(256).describe('Pids that one look for room examines.'),
  max_beat_rate: count(0, 100, 'Beats a second of one pid; 0 takes any.'),
  global_beat_rate: count(0, 5000, 'Beats a second of all pids; 0 takes any.'),
  global_beat_burst: count(1, 10_000, 'Beats of all pids that may come at once.'),
  clock_source: choice(['monotonic', 'boottime'])
    .default('monotonic')
    .describe('boottime goes on while the machine is suspended.'),
  poll_interval_ms: whole(0, 1000)
    .default(100)
    .describe('Beats are gathered for so long, at most half a threshold. Stalls do not wait for it.'),
  udp_port: whole(0, 65_535).nullable().default(null).describe('Takes beats over UDP here; 0 for any port.'),
  udp_bind_addr: anyText('an IP address')
    .refine(isIpLiteral, { error: ({ input }) => `is not an IP address but ${shown(input)}; write "127.0.0.1"` })
    .default('127.0.0.1')
    .describe('Address of the UDP listener.'),
  i_accept_plaintext_udp: accepted('Whoever reaches the port may beat for any pid.'),
  i_accept_secure_udp_non_loopback: accepted('Encrypted beats may come from other hosts.'),
  key_file: path('A shared key for encrypted UDP beats: 64 hex digits.'),
  accepted_key_file: path('More shared keys, one a line, # begins a comment.'),
  master_key_file: path('The key that the keys of agents are derived from.'),
  recovery_exec: z
    .array(text())
    .min(1, { error: 'is empty; leave the key out instead' })
    .nullable()
    .default(null)
    .describe('Command for a silent agent, as a list; {pid} is replaced. No shell.'),
  recovery_exec_file: path('A file of ours, mode 0600, with the command on one line.'),
  recovery_debounce_ms: whole(0, 2_147_483_647).default(1000).describe('Least time between two commands for one pid.'),
  recovery_timeout_ms: whole(1, 2_147_483_647).nullable().default(null).describe('The command is killed after it.'),
  recovery_env: z.record(z.string(), anyText()).default({}).describe('Environment of the command.'),
  recovery_inherit_env: accepted('The command gets the observer’s whole environment.'),
  recovery_capture_stdio: accepted('What the command prints is logged.'),
  recovery_capture_bytes: whole(1, 1_048_576).default(4096).describe('As much of each stream.'),
  shutdown_grace_ms: whole(100, 2_147_483_647).default(5000).describe('A stop waits so long for killed commands.'),
  recovery_audit_file: path('Every command, its end and every refusal, each line chained to those before.'),
  recovery_audit_max_bytes: whole(1, maxNumber).nullable().default(null).describe('Size at which it is rotated.'),
  recovery_audit_sync_every: count(1, 1, 'Records between two fdatasync calls.'),
  secure_udp_i_accept_recovery_on_unauthenticated_transport: accepted('Commands for agents on encrypted UDP.'),
  plaintext_udp_i_accept_recovery_on_unauthenticated_transport: accepted('Commands for agents on plaintext UDP.'),
  allow_cross_namespace_agents: accepted('Agents of other PID namespaces are watched.'),
  strict_namespace_check: accepted('An agent of another PID namespace ends the observer.'),
  export_file: path('Every event as a line of tab-separated text.'),
  export_file_max_bytes: whole(1, maxNumber).nullable().default(null).describe('Size at which it is rotated.'),
  export_file_sync_every: count(0, 0, 'Records between two fdatasync calls; 0 for none.'),
  heartbeat_file: path('Replaced at every look around, so that a watchdog sees the observer turn.'),
  self_watchdog_secs: whole(1, 86_400).default(10).describe('An event loop that stands so long ends the process.'),
  shutdown_after_secs: whole(1, 31_536_000).nullable().default(null).describe('Stops by itself.'),
  origin_policy: choice(['first', 'stronger'])
    .default('first')
    .describe('stronger lets a kernel-attested beat take over the pid of an unverified one.'),
  prom_addr: socketAddressText('"127.0.0.1:9464"').nullable().default(null).describe('GET /metrics is served here.'),
  prom_token_file: path('The bearer token of /metrics: 64 hex digits, mode 0600.'),
  prom_rate_limit_per_sec: count(1, 5, 'Scrapes a second of one address.'),
  prom_rate_limit_burst: count(1, 10, 'Scrapes that may come at once.'),
  api_addr: socketAddressText('"127.0.0.1:4482"').nullable().default(null).describe('The REST API, for adit status.'),
  api_token: apiToken.nullable().default(null).describe('Bearer token of the REST API.'),
  labels: z.record(z.string(), label).default({}).describe('What pids are called in outputs, by name.'),
  print: choice(['stalls', 'all', 'none'])
    .default('stalls')
    .describe('Events on standard output as JSON lines; stalls leaves out only Beat.'),
  manager: managerSchema.optional(),
  credentials_path: path('The manager’s credentials, when not in this file.'),
  state_dir: text().default('state/').describe('Events for the manager that must outlive a restart.'),
  log_level: logLevelSchema,
});

/** A key of a program that is watched; see `BeatConfig`. */
export type ObserverFile = z.output<typeof observerFileSchema>;
