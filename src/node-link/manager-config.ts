import { z } from 'zod';
import { anyText, flag, text } from '../lib/config-schema-parts.ts';
import { asJsonObject } from '../protocol/json.ts';
import { MAX_CREDENTIAL_CHARS } from '../protocol/limits.ts';
import { normalizeFingerprint } from './certificate-check.ts';
import { MAX_PREVIOUS_SECRETS } from './credentials.ts';

/** How a node reaches its manager; its credentials are the link's own business. */
export interface ManagerSettings {
  readonly enabled: boolean;
  /** 1 to 16, in the order in which they are tried; empty only when not enabled. */
  readonly urls: readonly string[];
  readonly acceptSelfSignedCert: boolean;
  /** SHA-256 of the leaf as it was written; null for none. */
  readonly certFingerprint: string | null;
}

const MAX_URLS = 16;
const MAX_URL_CHARS = 2048;

const url = anyText()
  .max(MAX_URL_CHARS, { error: `is longer than ${MAX_URL_CHARS} characters; shorten it` })
  .superRefine((address, context) => {
    const problem = urlProblem(address);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
const credential = text().max(MAX_CREDENTIAL_CHARS, {
  error: `is longer than ${MAX_CREDENTIAL_CHARS} characters; copy it again`,
});

/** The keys of `manager` in a node's config file (manager-protocol.md §6). */
export const managerFields = z.strictObject({
  enabled: flag().default(false).describe('Whether the node connects to a manager.'),
  url: url.optional().describe('One manager, in place of urls.'),
  urls: z
    .array(url)
    .max(MAX_URLS, { error: `has more than ${MAX_URLS} entries; list at most ${MAX_URLS}` })
    .optional()
    .describe('Managers, tried in turn.'),
  accept_self_signed_cert: flag().default(false).describe('Accept a certificate that no known authority signed.'),
  cert_fingerprint: anyText()
    .refine((text) => normalizeFingerprint(text) !== null, {
      error: 'is not a SHA-256; write 64 hex digits, with or without colons',
    })
    .optional()
    .describe("SHA-256 of the manager's certificate."),
  registration_token: credential.optional().describe('For the first connection; removed when spent.'),
  node_id: credential.optional().describe('Given by the manager.'),
  node_secret: credential.optional().describe('Given by the manager.'),
  previous_node_secrets: z
    .array(credential)
    .max(MAX_PREVIOUS_SECRETS, { error: `has more than ${MAX_PREVIOUS_SECRETS} entries; remove the oldest` })
    .optional()
    .describe('Written by the node while a secret changes.'),
});

/** Checks the `manager` object of a config file; a problem names its key and never quotes a secret. Null is absent. */
export const managerSchema = z.preprocess(
  (entry) => asJsonObject(entry) ?? entry,
  managerFields.superRefine(checkTogether).transform((manager): ManagerSettings => ({
    enabled: manager.enabled,
    urls: urlsOf(manager),
    acceptSelfSignedCert: manager.accept_self_signed_cert,
    certFingerprint: manager.cert_fingerprint ?? null,
  })),
);

function checkTogether(manager: z.output<typeof managerFields>, context: z.RefinementCtx): void {
  const problem = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  const urls = urlsOf(manager);
  if (manager.url !== undefined && manager.urls !== undefined) problem('url', 'says the same as urls; keep urls only');
  if (manager.enabled && urls.length === 0)
    problem('urls', 'is missing; list one to 16 wss:// addresses, or set enabled to false');
  if (new Set(urls.map((text) => new URL(text).href)).size < urls.length)
    problem('urls', 'names one address twice; list each once');
  if (manager.node_secret !== undefined && manager.node_id === undefined)
    problem('node_id', 'is missing beside node_secret; set both, or neither');
}

function urlsOf(manager: Pick<z.output<typeof managerFields>, 'url' | 'urls'>): readonly string[] {
  return manager.urls ?? (manager.url === undefined ? [] : [manager.url]);
}

/** Shown in events and logs, so it must not hold a password. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'is not an address; write for example wss://manager.example:8443/ws/node';
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'wss:') return 'is not encrypted; begin it with wss://';
  if (username !== '' || password !== '') return 'holds a user or password; leave it out';
  return hash === '' ? null : 'holds a fragment (#…); leave it out';
}
