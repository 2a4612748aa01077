import { z } from 'zod';
import { isUnspecified, parseSocketAddress } from '../../lib/socket-address.ts';
import { beatSchema } from '../../beat-sender/beat-config.ts';
import { managerSchema } from '../../node-link/manager-config.ts';
import { DEFAULT_API_PORT, DEFAULT_QUIC_PORT } from '../../protocol/tunnel/limits.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { limitsSchema } from './limits-schema.ts';
import {
  anyText,
  apiToken,
  eachOnce,
  flag,
  hex64,
  listenAddresses,
  logLevelSchema,
  loggingSchema,
  quicSchema,
  seconds,
  text,
  whole,
} from '../../config/schema-parts.ts';

const staticTunnel = z.strictObject({
  id: anyText('a UUID in quotes')
    .transform((id, context) => {
      const parsed = parseTunnelId(id);
      if (parsed !== null) return parsed;
      context.addIssue({ code: 'custom', message: 'is not a UUID; make one with: adit keygen' });
      return z.NEVER;
    })
    .describe("The tunnel's UUID."),
  name: text().optional().describe('What people call it, in adit status and adit why.'),
  bind_secret: hex64.describe('The same as tunnel_bind_secret at its edges.'),
});

const publicAddress = text().refine(isDialable, {
  error: 'is not a host:port that edges can dial; write for example "relay.example:4433"',
});

/** config.json of a relay (docs/protocol/manager.md §6), aliases and keys of other relays already taken out. */
export const relayConfigSchema = z
  .strictObject({
    $schema: z.string().optional(),
    quic_addrs: listenAddresses(DEFAULT_QUIC_PORT)
      .default([`0.0.0.0:${DEFAULT_QUIC_PORT}`, `[::]:${DEFAULT_QUIC_PORT}`])
      .describe('Where edges connect (UDP).'),
    api_addrs: listenAddresses(DEFAULT_API_PORT)
      .optional()
      .describe('Where the REST API listens (TCP): loopback, or every address when api_token is set.'),
    public_quic_addr: publicAddress.nullable().default(null).describe('What edges dial, as reported to the manager.'),
    tls_cert_path: text().nullable().default(null).describe('PEM file; without one a self-signed pair is made.'),
    tls_key_path: text().nullable().default(null).describe('PEM file, together with tls_cert_path.'),
    api_token: apiToken.nullable().default(null).describe('Bearer token of the REST API.'),
    field_metrics: flag()
      .default(false)
      .describe('Serve the metrics under the names of field relays too: bilbycast_relay_….'),
    require_bind_auth: flag().default(true).describe('Refuse tunnels that nobody has authorised.'),
    require_bind_proof: flag().default(false).describe('Accept bind proofs only, no tokens (refuses older edges).'),
    min_protocol_version: whole(0, 1000).default(0).describe('Refuse edges of an older tunnel protocol.'),
    hold_waiting_edges: flag()
      .default(false)
      .describe('Send older edges no message that they wait, so that they stay.'),
    max_connections_per_ip: whole(1, 1_000_000).default(64).describe('Connections of one address (IPv6: one /64).'),
    max_tunnels_per_connection: whole(1, 100_000).default(100).describe('Tunnels that one connection may bind.'),
    tunnels: z
      .array(staticTunnel)
      .superRefine(eachOnce(({ id }) => id, 'id'))
      .default([])
      .describe('Tunnels that are authorised without a manager.'),
    manager: managerSchema.prefault({}),
    observer: beatSchema.optional().describe('An observer that this program beats to; none unless it is set.'),
    logging: loggingSchema.prefault({}),
    log_level: logLevelSchema,
    quic: quicSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    drain_timeout_secs: seconds(0, 600).default(10).describe('Time that open streams get when the relay stops.'),
    state_dir: text()
      .default('state/')
      .describe('What must outlive a restart: authorisations, events, keys. Not to be shared.'),
    credentials_path: text().nullable().default(null).describe("The manager's credentials, when not in this file."),
  })
  .refine((config) => (config.tls_cert_path === null) === (config.tls_key_path === null), {
    path: ['tls_cert_path'],
    error: 'and tls_key_path belong together; set both, or neither',
  });

export type RelayConfigFile = z.output<typeof relayConfigSchema>;

function isDialable(address: string): boolean {
  const literal = parseSocketAddress(address);
  if (literal !== null) return !isUnspecified(literal.ip) && literal.port > 0;
  const match = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?):(\d{1,5})$/i.exec(address);
  const port = Number(match?.[3]);
  const isNumeric = /^[\d.]+$/.test(match?.[1] ?? '');
  return match !== null && !isNumeric && port > 0 && port <= 65_535;
}
