import { isIP } from 'node:net';
import { z } from 'zod';
import { anyText, flag, seconds, shown, text, whole } from '../../config/schema-parts.ts';
import { parseHostPort } from '../../lib/host-port.ts';
import type { SrtLegSettings } from '../../media/flow/flow-settings.ts';
import type { BandwidthLimit } from '../../media/srt/srt-settings.ts';

/** `ip:port` of this machine. */
export const ownAddress = anyText('ip:port, such as "0.0.0.0:9000"').transform((written, context) => {
  const address = parseHostPort(written);
  if (address !== null && isIP(address.host) !== 0) return address;
  const message = `is not ip:port or [ipv6]:port but ${shown(written)}; write for example "0.0.0.0:9000"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** `host:port` of another machine. */
export const otherAddress = anyText('host:port, such as "studio.example:9000"').transform((written, context) => {
  const address = parseHostPort(written);
  if (address !== null && address.port !== 0) return address;
  const message = `is not host:port but ${shown(written)}; write for example "studio.example:9000"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** A key of the field's schema that this edge does not have: never ignored in silence. */
export function unsupported(why: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null, { error: `is not supported (${why}); leave the key out` })
    .describe(`Not supported: ${why}.`);
}

const passphrase = anyText()
  .refine((secret) => Buffer.byteLength(secret) >= 10 && Buffer.byteLength(secret) <= 79, {
    error: 'must have 10 to 79 bytes; both ends need the same one',
  })
  .describe('Encrypts the connection; the same at both ends.');

const streamId = text().refine((id) => Buffer.byteLength(id) <= 512, { error: 'is longer than 512 bytes; shorten it' });

export const tunnelName = text().describe(
  'Id or name of a tunnel of this edge with "local_addr": "flow", in place of an address.',
);

/** Keys of one SRT socket. */
export const srtKeys = {
  mode: anyText()
    .refine((mode) => mode === 'caller' || mode === 'listener', {
      error: ({ input }) =>
        input === 'rendezvous'
          ? 'is "rendezvous", which is not supported yet; use "caller" or "listener"'
          : 'must be one of "caller", "listener"',
    })
    .describe('caller dials remote_addr, listener waits at local_addr.'),
  local_addr: ownAddress.optional().describe('Where it listens; for a caller, where it sends from.'),
  remote_addr: otherAddress.optional().describe('Where a caller dials; a name is looked up for each attempt.'),
  tunnel: tunnelName.optional(),
  latency_ms: whole(0, 60_000)
    .default(120)
    .describe('How long packets wait for repair; docs/media-flows.md says how to choose it.'),
  recv_latency_ms: whole(0, 60_000).optional().describe('latency_ms for what this end receives.'),
  peer_latency_ms: whole(0, 60_000).optional().describe('The least that the other end is asked to wait.'),
  peer_idle_timeout_secs: seconds(1, 3600).default(30).describe('A peer that is silent for so long is gone.'),
  connect_timeout_secs: seconds(0.5, 60).default(3).describe('How long one attempt of a caller takes.'),
  passphrase: passphrase.optional(),
  aes_key_len: z
    .literal([16, 24, 32], { error: 'must be one of 16, 24, 32' })
    .optional()
    .describe('Bytes of the key; a caller takes 16 unless the listener asks for more.'),
  crypto_mode: anyText()
    .default('aes-ctr')
    .refine((mode) => mode === 'aes-ctr', { error: 'is not supported yet; use "aes-ctr", or leave the key out' })
    .describe('Only "aes-ctr".'),
  stream_id: streamId.optional().describe('A caller sends it; a listener takes this one only.'),
  enforced_encryption: flag().default(true).describe('Refuse a peer with another passphrase, or without one.'),
  max_bw: whole(-1, 1_250_000_000)
    .default(-1)
    .describe('Bytes a second at most; -1 without limit, 0 by input_bw and overhead_bw.'),
  input_bw: whole(0, 1_250_000_000).default(0).describe('Expected bytes a second; 0 measures them.'),
  overhead_bw: whole(5, 100).default(25).describe('Percent above the input for repair.'),
  max_rexmit_bw: whole(-1, 1_250_000_000).default(-1).describe('Bytes a second for repair; -1 without limit.'),
  flight_flag_size: whole(32, 1_000_000).default(25_600).describe('Most packets in flight.'),
  send_buffer_size: whole(32, 65_536).default(8192).describe('Packets that the sender keeps.'),
  recv_buffer_size: whole(32, 65_536).default(8192).describe('Packets that the receiver keeps.'),
  send_drop_delay: whole(-1, 60_000)
    .default(0)
    .describe('Milliseconds added before the sender gives a packet up; -1 never gives one up.'),
  loss_max_ttl: whole(0, 1000).default(0).describe('Packets that may overtake one before it counts as lost.'),
  km_refresh_rate: whole(100, 1_073_741_823).default(16_777_216).describe('Packets under one key.'),
  km_pre_announce: whole(10, 536_870_911).default(4096).describe('Packets before its end that the next is announced.'),
  payload_size: whole(188, 1456).default(1316).describe('Bytes of payload in a packet.'),
  mss: whole(232, 9000).default(1500).describe('Largest packet with IP header.'),
  tlpkt_drop: flag().default(true).describe('Go on without what comes too late; false waits for it.'),
  retransmit_algo: z
    .literal([0, 1], { error: 'must be 0 or 1' })
    .default(1)
    .describe('1 repairs a packet once a round trip while there is time for three, 0 at each report.'),
  packet_filter: unsupported('forward error correction'),
  ip_tos: unsupported('Node.js cannot set it'),
  ip_ttl: unsupported('Node.js cannot set it for one socket and destination'),
} as const;

export type SrtFields = z.output<z.ZodObject<typeof srtKeys, z.core.$strict>>;

/** What one key alone cannot show. */
export function checkSrtLeg(leg: SrtFields, problem: (key: string, message: string) => void): void {
  const { mode, local_addr: local, remote_addr: remote, tunnel } = leg;
  if (tunnel !== undefined && (local !== undefined || remote !== undefined)) {
    problem('tunnel', 'stands beside an address; keep one of them');
  }
  if (tunnel === undefined && mode === 'caller' && remote === undefined) {
    problem('remote_addr', 'is missing; a caller needs host:port to dial, or a tunnel');
  }
  if (tunnel === undefined && mode === 'listener' && local === undefined) {
    problem('local_addr', 'is missing; a listener needs ip:port to wait at, or a tunnel');
  }
  if (leg.km_pre_announce * 2 > leg.km_refresh_rate) {
    problem('km_pre_announce', 'is more than half of km_refresh_rate; lower it');
  }
}

/** Checked and with defaults. */
export function srtLeg(fields: SrtFields): SrtLegSettings {
  return {
    mode: fields.mode === 'caller' ? 'caller' : 'listener',
    localAddr: fields.local_addr ?? null,
    remoteAddr: fields.remote_addr ?? null,
    tunnel: fields.tunnel ?? null,
    payloadBytes: Math.min(fields.payload_size, fields.mss - 44),
    srt: {
      receiveLatencyMs: fields.recv_latency_ms ?? fields.latency_ms,
      peerLatencyMs: fields.peer_latency_ms ?? fields.latency_ms,
      peerIdleTimeoutMs: fields.peer_idle_timeout_secs * 1000,
      connectTimeoutMs: fields.connect_timeout_secs * 1000,
      passphrase: fields.passphrase ?? null,
      keyBytes: fields.aes_key_len ?? null,
      enforcedEncryption: fields.enforced_encryption,
      streamId: fields.stream_id ?? null,
      flightWindow: fields.flight_flag_size,
      sendBufferPackets: fields.send_buffer_size,
      receiveBufferPackets: fields.recv_buffer_size,
      sendDropDelayMs: fields.send_drop_delay,
      lossMaxTtl: fields.loss_max_ttl,
      keyRefreshPackets: fields.km_refresh_rate,
      keyAnnouncePackets: fields.km_pre_announce,
      mss: fields.mss,
      tooLateDrop: fields.tlpkt_drop,
      patientRetransmit: fields.retransmit_algo === 1,
      bandwidth: bandwidthOf(fields),
      retransmitBytesPerSecond: fields.max_rexmit_bw < 0 ? null : fields.max_rexmit_bw,
    },
  };
}

function bandwidthOf({ max_bw: max, input_bw: input, overhead_bw: overheadPercent }: SrtFields): BandwidthLimit {
  if (max < 0) return { kind: 'unlimited' };
  if (max > 0) return { kind: 'fixed', bytesPerSecond: max };
  if (input > 0) return { kind: 'fixed', bytesPerSecond: input * (1 + overheadPercent / 100) };
  return { kind: 'measured', overheadPercent };
}
