const secretKey = /(secret|token|password|passphrase|encryption_key|private_key|stream_key|authorization)s?$/i;

/** Nodes leave their secrets out themselves; here they are left out again, whatever a node does. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !secretKey.test(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutSecrets(inner)]));
}
