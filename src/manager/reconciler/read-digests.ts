import { asJsonObject } from '../../lib/json.ts';

/** Digests by tunnel id of the answer to `list_authorized`. */
export function readDigests(data: unknown): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const entry of Array.isArray(data) ? (data as readonly unknown[]) : []) {
    const fields = asJsonObject(entry);
    const { tunnel_id: id, digest } = fields ?? {};
    if (typeof id === 'string' && typeof digest === 'string') digests.set(id.toLowerCase(), digest);
  }
  return digests;
}
