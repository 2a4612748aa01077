import { z } from 'zod';
import { beatSchema } from '../../beat-sender/beat-config.ts';
import {
  anyText,
  flag,
  listenAddresses,
  loggingSchema,
  logLevelSchema,
  seconds,
  text,
  whole,
} from '../../config/schema-parts.ts';

/** Where the manager listens by default, as nodes in the field expect. */
const defaultPort = 8443;

const databaseUrl = text().refine((url) => /^(sqlite:.|postgres(ql)?:\/\/.)/.test(url), {
  error: 'is neither sqlite:PATH nor postgres://…; write for example "sqlite:state/manager.db"',
});
const httpsUrl = text().refine((url) => URL.parse(url)?.protocol === 'https:', {
  error: 'is not an https:// address; write for example "https://manager.example:8443"',
});

const oidcSchema = z.strictObject({
  issuer: httpsUrl.describe('The provider; its discovery document is read from there.'),
  client_id: text().describe('As registered with the provider.'),
  client_secret_path: text().describe('File that holds the client secret.'),
  groups_claim: text().default('groups').describe('The claim that lists the groups of a user.'),
  roles: z
    .record(z.string(), z.enum(['viewer', 'operator', 'admin']))
    .default({})
    .describe('The role that each group gives; the highest counts.'),
});

const limitsSchema = z.strictObject({
  nodes: whole(1, 100_000).default(10_000).describe('Nodes that may be added.'),
  legs: whole(1, 1_000_000).default(100_000).describe('Legs of all tunnels and flows together.'),
  unauthenticated_sockets: whole(1, 100_000).default(1000).describe('Sockets that have not proved anything yet.'),
  unauthenticated_per_address: whole(1, 10_000).default(32).describe('The same, of one address (IPv6: one /64).'),
  uncommitted_events: whole(10, 100_000).default(1000).describe('Events of one node that wait for the database.'),
  socket_buffer_bytes: whole(65_536, 1_073_741_824)
    .default(4_194_304)
    .describe('Bytes that a slow node may leave unread before it is cut.'),
  commands_per_edge: whole(1, 1000).default(8).describe('Commands to one edge without an answer.'),
  commands_per_relay: whole(1, 1000).default(64).describe('Commands to one relay without an answer.'),
  commands: whole(1, 100_000).default(512).describe('Commands without an answer, of all nodes together.'),
  database_bytes: whole(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(10_737_418_240)
    .describe('Size past which the manager warns, and keeps info events for a shorter time.'),
});

/** manager.json. */
export const managerConfigSchema = z
  .strictObject({
    $schema: z.string().optional(),
    listen: listenAddresses(defaultPort)
      .default([`0.0.0.0:${defaultPort}`])
      .describe('Where nodes, browsers and REST clients connect (TCP, TLS).'),
    public_url: httpsUrl.nullable().default(null).describe('How browsers and nodes reach the manager.'),
    instance_url: httpsUrl.nullable().default(null).describe('How other instances reach this one.'),
    instance_name: text().nullable().default(null).describe("What people call this instance; the host's name if null."),
    tls_cert_path: text().nullable().default(null).describe('PEM file; without one a self-signed pair is made.'),
    tls_key_path: text().nullable().default(null).describe('PEM file, together with tls_cert_path.'),
    behind_proxy: whole(0, 8).default(0).describe('Proxies in front whose X-Forwarded-For is believed.'),
    database: z
      .strictObject({
        url: databaseUrl.default('sqlite:state/manager.db').describe('sqlite:PATH, or postgres://… for instances.'),
        listen_url: databaseUrl
          .nullable()
          .default(null)
          .describe('A direct connection for notices, where url goes through a pooler.'),
      })
      .prefault({}),
    master_key_path: text()
      .nullable()
      .default(null)
      .describe('The key that seals tunnel keys; state_dir/master.key if null.'),
    metrics_token: anyText()
      .min(16, { error: 'is shorter than 16 characters' })
      .nullable()
      .default(null)
      .describe('Bearer token of /metrics; without one only loopback may read it.'),
    oidc: oidcSchema.nullable().default(null).describe('Sign-in through an identity provider.'),
    events: z
      .strictObject({ retention_days: whole(1, 3650).default(30).describe('Time that events are kept.') })
      .prefault({}),
    audit: z
      .strictObject({ retention_days: whole(1, 3650).default(400).describe('Time that the audit trail is kept.') })
      .prefault({}),
    webhooks: z
      .strictObject({ allow_private: flag().default(false).describe('Let webhooks go to private addresses.') })
      .prefault({}),
    offline_grace_secs: seconds(1, 3600).default(15).describe('Time that a lost node counts as reconnecting.'),
    settle_secs: seconds(1, 600).default(5).describe('Time a node gets to apply pushes before it is compared.'),
    retry_secs: seconds(1, 3600).default(30).describe('Time between pushes that failed.'),
    ghost_after_secs: seconds(0, 86_400)
      .default(300)
      .describe('A push that failed for so long on a node that is online is given up; 0: never.'),
    limits: limitsSchema.prefault({}),
    logging: loggingSchema.prefault({}),
    log_level: logLevelSchema,
    observer: beatSchema.optional().describe('An observer that this program beats to; none unless it is set.'),
    state_dir: text().default('state/').describe('The embedded database, the master key, the certificate.'),
  })
  .refine((config) => (config.tls_cert_path === null) === (config.tls_key_path === null), {
    path: ['tls_cert_path'],
    error: 'and tls_key_path belong together; set both, or neither',
  })
  .refine((config) => config.ghost_after_secs === 0 || config.ghost_after_secs >= 1, {
    path: ['ghost_after_secs'],
    error: 'is between 0 and 1; write 0 for never, or at least 1',
  });

export type ManagerConfigFile = z.output<typeof managerConfigSchema>;
