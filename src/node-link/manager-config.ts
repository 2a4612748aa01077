import { z } from 'zod';
import type { ConfigProblem } from '../config/config-problem.ts';
import { anyText, flag, text } from '../config/schema-parts.ts';
import { shadowedKey } from '../config/shadowed-key.ts';
import { asJsonObject } from '../lib/json.ts';
import { parsePin } from '../lib/pin.ts';
import { MAX_CREDENTIAL_CHARS } from '../protocol/node/limits.ts';
import { maxPreviousSecrets } from './credentials/credentials.ts';

/** How a node reaches its manager; its credentials are the link's own business. */
export interface ManagerSettings {
  readonly enabled: boolean;
  /** 1 to 16, in the order in which they are tried; empty only when not enabled. */
  readonly urls: readonly string[];
  readonly acceptSelfSignedCert: boolean;
  /** Of the leaf certificates or public keys that the manager may show, as they were written; empty for none. */
  readonly certFingerprints: readonly string[];
}

const maxUrls = 16;
const maxUrlChars = 2048;

const url = anyText()
  .max(maxUrlChars, { error: `is longer than ${maxUrlChars} characters; shorten it` })
  .superRefine((address, context) => {
    const problem = urlProblem(address);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
const credential = text().max(MAX_CREDENTIAL_CHARS, {
  error: `is longer than ${MAX_CREDENTIAL_CHARS} characters; copy it again`,
});

const notSha256 = 'is not a SHA-256; write 64 hex digits, with or without colons, or sha256/BASE64 of the public key';
const pin = anyText().refine((text) => parsePin(text) !== null, { error: notSha256 });

const managerFields = z.strictObject({
  enabled: flag().default(false).describe('Whether to connect to a manager.'),
  url: url.nullish().describe('One manager, in place of urls.'),
  urls: z
    .array(url)
    .max(maxUrls, { error: `has more than ${maxUrls} entries; list at most ${maxUrls}` })
    .nullish()
    .describe('Managers, tried in turn.'),
  accept_self_signed_cert: flag().default(false).describe('Accept a certificate that no known authority signed.'),
  cert_fingerprint: z
    .union([pin, z.array(pin).min(1)], { error: notSha256 })
    .nullable()
    .default(null)
    .describe("SHA-256 of the manager's certificate or, as sha256/BASE64, of its key; or a list of those it may show."),
  registration_token: credential.nullable().default(null).describe('For the first connection; removed when spent.'),
  node_id: credential.nullable().default(null).describe('Given by the manager.'),
  node_secret: credential.nullable().default(null).describe('Given by the manager.'),
  previous_node_secrets: z
    .array(credential)
    .max(maxPreviousSecrets, { error: `has more than ${maxPreviousSecrets} entries; remove the oldest` })
    .nullish()
    .describe('Written by the program while a secret changes.'),
});

/**
 * The `manager` object of a node's config file (docs/protocol/manager.md §6), under the file's own names. A problem
 * names its key and never quotes a secret.
 */
export const managerSchema = managerFields.superRefine(checkTogether).transform(({ url: one, urls, ...rest }) => ({
  ...rest,
  urls: urlsOf({ url: one, urls }),
}));

export type ManagerConfig = Readonly<z.output<typeof managerSchema>>;

export function managerSettings(config: ManagerConfig): ManagerSettings {
  return {
    enabled: config.enabled,
    urls: config.urls,
    acceptSelfSignedCert: config.accept_self_signed_cert,
    certFingerprints: config.cert_fingerprint === null ? [] : [config.cert_fingerprint].flat(),
  };
}

/** Warnings about the `manager` object of a config, as it was written. */
export function managerWarnings(manager: unknown): readonly ConfigProblem[] {
  const { url: one, urls } = asJsonObject(manager) ?? {};
  return Boolean(one) && Boolean(urls) ? [shadowedKey('manager.url', 'manager.urls')] : [];
}

type ManagerFields = z.output<typeof managerFields>;

function checkTogether(manager: ManagerFields, context: z.RefinementCtx): void {
  const problem = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  const urls = urlsOf(manager);
  if (manager.enabled && urls.length === 0)
    problem('urls', 'is missing; list one to 16 wss:// addresses, or set enabled to false');
  if (new Set(urls.map(hrefOf)).size < urls.length) problem('urls', 'names one address twice; list each once');
  const half = (manager.node_id === null) !== (manager.node_secret === null);
  if (half && manager.registration_token === null)
    problem('node_id', 'and node_secret belong together; set both, or neither');
}

/** As an address is compared with others; one that is none has its own problem. */
function hrefOf(text: string): string {
  return URL.parse(text)?.href ?? text;
}

function urlsOf({ url: one, urls }: Pick<ManagerFields, 'url' | 'urls'>): readonly string[] {
  return urls ?? (one ? [one] : []);
}

/** Shown in events and logs, so it must not hold a password. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'is not an address; write for example wss://manager.example:8443/ws/node';
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'wss:') return 'is not encrypted; begin it with wss://';
  if (username !== '' || password !== '') return 'holds a user or password; leave it out';
  return hash === '' ? null : 'holds a fragment (#…); leave it out';
}
