import type { ConfigProblem } from '../../config/config-problem.ts';
import { shadowedKey } from '../../config/shadowed-key.ts';
import { onLoopback, unprotectedApi } from '../../config/unprotected-api.ts';

/** Older names of keys, which take one value instead of a list. */
export const aliases: Readonly<Record<string, string>> = { quic_addr: 'quic_addrs', api_addr: 'api_addrs' };

/** Keys that field relays write as null where they have nothing to say. */
const nullable: ReadonlySet<string> = new Set(['quic_addrs', 'api_addrs', 'manager', 'logging']);

const quicOnly = 'this relay carries QUIC tunnels only, remove it';

/** Keys of field relays that this one has no use for, by what to do about them. */
const withoutUse: Readonly<Record<string, string>> = {
  udp_relay_enabled: quicOnly,
  udp_relay_addrs: quicOnly,
  public_udp_addr: quicOnly,
  distribution: quicOnly,
  bond_bridges: quicOnly,
  shared_secret: 'tunnels are authorised by tunnels[].bind_secret or by a manager, remove it',
  max_edges: 'limits.max_connections is the cap, remove it',
  max_tunnels: 'limits.max_tunnels is the cap, remove it',
};

export const keysWithoutUse: readonly string[] = Object.keys(withoutUse);

export interface FieldKeysRead {
  /** The content under the keys of the schema. */
  readonly fields: Record<string, unknown>;
  readonly warnings: ConfigProblem[];
}

/** Translates what field relays write; other keys stay as they are. */
export function readFieldKeys(content: Readonly<Record<string, unknown>>): FieldKeysRead {
  const read: FieldKeysRead = { fields: {}, warnings: [] };
  for (const [key, value] of Object.entries(content)) {
    const remedy = remedyOf(key);
    if (remedy !== null) read.warnings.push({ path: key, problem: 'has no effect', remedy });
    else if (value !== null || !nullable.has(key)) take(read, content, key, value);
  }
  if ('api_addr' in content) closeApi(read);
  return read;
}

/**
 * Field relays serve their API on every address and write that into their files, with `api_addr` in each. Such a file
 * must go on working, and without a token its API must not be open to the network.
 */
function closeApi({ fields, warnings }: FieldKeysRead): void {
  const { api_addrs: addresses, api_token: token } = fields;
  if (!Array.isArray(addresses) || unprotectedApi('api_addrs', addresses, token).length === 0) return;
  fields['api_addrs'] = onLoopback(addresses);
  const instead = onLoopback(addresses).join(', ');
  const problem = `would offer the REST API to the network without a token: it is at ${instead}`;
  warnings.push({ path: 'api_addr', problem, remedy: 'set api_token to let other hosts ask' });
}

function remedyOf(key: string): string | null {
  if (Object.hasOwn(withoutUse, key)) return withoutUse[key] ?? null;
  return key.startsWith('udp_relay_') ? quicOnly : null;
}

function take(read: FieldKeysRead, content: Readonly<Record<string, unknown>>, key: string, value: unknown): void {
  const list = aliases[key];
  if (list === undefined) read.fields[key] = value;
  else if ((content[list] ?? null) === null) read.fields[list] = [value];
  else read.warnings.push(shadowedKey(key, list));
}
