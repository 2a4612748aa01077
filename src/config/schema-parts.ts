import { z } from 'zod';
import { logLevels } from '../lib/logger.ts';
import { parseSocketAddress } from '../lib/socket-address.ts';

/** `ip:port`, IPv6 in brackets; `example` is such a one, in quotes, for the error. */
export function socketAddressText(example: string): z.ZodString {
  return anyText(`ip:port, such as ${example}`).refine((text) => parseSocketAddress(text) !== null, {
    error: ({ input }) => `is not ip:port but ${shown(input)}; write for example ${example}`,
  });
}

/** Addresses to listen on, each once. */
export function listenAddresses(port: number) {
  return z
    .array(socketAddressText(`"0.0.0.0:${port}" or "[::]:${port}"`))
    .min(1, { error: 'is empty; list at least one ip:port, or leave the key out' })
    .superRefine(eachOnce((address) => address));
}

/** Refuses items with the same key as an earlier one; `field` is where an item has it. */
export function eachOnce<Item>(
  keyOf: (item: Item) => string,
  field?: string,
): (items: readonly Item[], context: z.RefinementCtx) => void {
  return (items, context) => {
    const keys = items.map(keyOf);
    for (const [index, key] of keys.entries()) {
      if (keys.indexOf(key) === index) continue;
      const message = `is ${key} once more; list each once`;
      context.addIssue({ code: 'custom', path: field === undefined ? [index] : [index, field], message });
    }
  };
}

/** A value that is no secret, as it was written. */
export function shown(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 80));
}

export const hex64 = anyText('64 hex digits, as adit keygen makes them').regex(/^[0-9a-f]{64}$/i, {
  error: 'is not 64 hex digits; make one with: adit keygen',
});

/** What a value must be, also for one that is not there. */
function must(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? `is missing; it must be ${what}` : `must be ${what}`);
}

/** A whole number within bounds; the error names both. */
export function whole(min: number, max: number): z.ZodInt {
  const error = must(`a whole number from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A number of seconds, fractions allowed. */
export function seconds(min: number, max: number): z.ZodNumber {
  const error = must(`a number of seconds from ${min} to ${max}`);
  return z.number({ error }).min(min, { error }).max(max, { error });
}

export function flag(): z.ZodBoolean {
  return z.boolean({ error: must('true or false, without quotes') });
}

/** Any text; see `text` for one that must not be empty. The error names `what` where it is missing. */
export function anyText(what = 'a text in quotes'): z.ZodString {
  return z.string({ error: must(what) });
}

export function text(): z.ZodString {
  return anyText().min(1, { error: 'is empty; leave the key out instead' });
}

export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
): z.ZodEnum<{ [K in Values[number]]: K }> {
  return z.enum(values, { error: must(`one of ${values.map((value) => `"${value}"`).join(', ')}`) });
}

export const apiToken = anyText()
  .min(32, { error: 'is shorter than 32 characters; make one with: openssl rand -hex 32' })
  .max(128, { error: 'is longer than 128 characters; make one with: openssl rand -hex 32' });

/** The `quic` object of either program's config. */
export const quicSchema = z
  .strictObject({
    engine: choice(['auto', 'native', 'quiche'])
      .default('auto')
      .describe('QUIC engine; auto takes the native one where it is built.'),
    max_udp_payload: whole(1200, 65_527).default(1452).describe('Largest UDP payload sent.'),
    idle_timeout_secs: seconds(1, 600).default(25).describe('A connection without packets for this long is gone.'),
    keep_alive_secs: seconds(0.1, 300).default(5).describe('Time without packets after which one is sent.'),
  })
  .refine((quic) => quic.keep_alive_secs < quic.idle_timeout_secs, {
    path: ['keep_alive_secs'],
    error: 'is not below idle_timeout_secs, so idle connections would be lost; make it a fifth of it',
  });

const format = choice(['raw', 'splunk', 'dataminer'])
  .default('raw')
  .describe('splunk wraps each line as {"event":{…}}; dataminer calls error_code parameter_id.');

const jsonTarget = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('stdout'), format }),
    z.strictObject({
      kind: z.literal('file'),
      path: text().describe('The file that is written.'),
      max_size_mb: whole(1, 1_000_000).default(64).describe('Size at which the file is rotated.'),
      max_backups: whole(0, 1000).default(5).describe('Rotated files that are kept.'),
      format,
    }),
    z.strictObject({
      kind: z.literal('syslog'),
      addr: socketAddressText('"192.0.2.9:514"').describe('Where the syslog server listens (UDP).'),
      format,
    }),
  ],
  { error: 'has no kind that is known; write "kind": "stdout", "file" or "syslog"' },
);

/** Where structured log lines go (docs/protocol/manager.md §7). */
export type JsonLogTarget = Readonly<z.output<typeof jsonTarget>>;

export const loggingSchema = z.strictObject({
  json_target: jsonTarget
    .nullable()
    .default(null)
    .describe('Structured log lines for machines, beside the normal log.'),
});

export const logLevelSchema = choice(logLevels).default('info').describe('Least level that is logged.');
