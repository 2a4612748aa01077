import { z } from 'zod';
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

const url = z
  .string()
  .max(MAX_URL_CHARS, { error: `must be at most ${MAX_URL_CHARS} characters` })
  .superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
const credential = z.string().min(1).max(MAX_CREDENTIAL_CHARS).optional();

/** The keys of `manager` in a node's config file (manager-protocol.md §6). */
const fields = z.strictObject({
  enabled: z.boolean().default(true),
  url: url.optional(),
  urls: z.array(url).max(MAX_URLS).optional(),
  accept_self_signed_cert: z.boolean().default(false),
  cert_fingerprint: z
    .string()
    .refine((text) => normalizeFingerprint(text) !== null, {
      error: 'must be a SHA-256: 64 hex digits, colons allowed',
    })
    .optional(),
  registration_token: credential,
  node_id: credential,
  node_secret: credential,
  previous_node_secrets: z.array(z.string().min(1).max(MAX_CREDENTIAL_CHARS)).max(MAX_PREVIOUS_SECRETS).optional(),
});

/** Checks the `manager` object of a config file; a problem names its key and never quotes a secret. Null is absent. */
export const managerSchema = z.preprocess(
  (entry) => asJsonObject(entry) ?? entry,
  fields.superRefine(checkTogether).transform((manager): ManagerSettings => ({
    enabled: manager.enabled,
    urls: urlsOf(manager),
    acceptSelfSignedCert: manager.accept_self_signed_cert,
    certFingerprint: manager.cert_fingerprint ?? null,
  })),
);

/** For "did you mean" in the programs' own messages. */
export const managerKeys: readonly string[] = Object.keys(fields.shape);

function checkTogether(manager: z.output<typeof fields>, context: z.RefinementCtx): void {
  const problem = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  const urls = urlsOf(manager);
  if (manager.url !== undefined && manager.urls !== undefined) problem('url', 'cannot stand beside urls');
  if (manager.enabled && urls.length === 0) problem('urls', 'is required: one to 16 wss:// addresses');
  if (new Set(urls.map((text) => new URL(text).href)).size < urls.length) problem('urls', 'names one address twice');
  if (manager.node_secret !== undefined && manager.node_id === undefined)
    problem('node_id', 'is missing beside node_secret');
}

function urlsOf(manager: Pick<z.output<typeof fields>, 'url' | 'urls'>): readonly string[] {
  return manager.urls ?? (manager.url === undefined ? [] : [manager.url]);
}

/** Shown in events and logs, so it must not hold a password. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'must be an address such as wss://manager.example:8443/ws/node';
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'wss:') return 'must begin with wss:// (a node does not speak to a manager in the clear)';
  if (username !== '' || password !== '') return 'must not hold a user or password';
  return hash === '' ? null : 'must not hold a fragment (#…)';
}
