import { createHash } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Digest {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly opaque: string | null;
  /** The server knows quality of protection `auth`. */
  readonly hasQop: boolean;
}

/** A server's challenge: Digest (RFC 7616, RFC 2617) where it offers one that is known here, else Basic (RFC 7617). */
export class Challenge {
  readonly #digest: Digest | null;
  #count = 0;

  private constructor(digest: Digest | null) {
    this.#digest = digest;
  }

  /** The values of WWW-Authenticate; null where none can be answered. */
  static parse(values: readonly string[]): Challenge | null {
    for (const value of values) {
      const digest = /^digest\s/i.test(value) ? digestOf(value.slice(7)) : null;
      if (digest !== null) return new Challenge(digest);
    }
    return values.some((value) => /^basic\b/i.test(value)) ? new Challenge(null) : null;
  }

  /** The value of Authorization for a request; `cnonce` is fresh and unpredictable. */
  answer({ username, password }: Credentials, method: string, uri: string, cnonce: string): string {
    const digest = this.#digest;
    if (digest === null) return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const { realm, nonce, algorithm, opaque, hasQop } = digest;
    const hash = (text: string): string =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const secret = hash(`${username}:${realm}:${password}`);
    const request = hash(`${method}:${uri}`);
    const count = (++this.#count).toString(16).padStart(8, '0');
    const response = hash(
      hasQop ? `${secret}:${nonce}:${count}:${cnonce}:auth:${request}` : `${secret}:${nonce}:${request}`,
    );
    const fields = [
      `username="${quoted(username)}"`,
      ...[`realm="${quoted(realm)}"`, `nonce="${quoted(nonce)}"`, `uri="${uri}"`, `response="${response}"`],
      ...(algorithm === 'MD5' ? [] : [`algorithm=${algorithm}`]),
      ...(opaque === null ? [] : [`opaque="${quoted(opaque)}"`]),
      ...(hasQop ? ['qop=auth', `nc=${count}`, `cnonce="${cnonce}"`] : []),
    ];
    return `Digest ${fields.join(', ')}`;
  }
}

function digestOf(parameters: string): Digest | null {
  const fields = new Map<string, string>();
  for (const [, key = '', inQuotes, bare] of parameters.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi)) {
    fields.set(key.toLowerCase(), inQuotes ?? bare ?? '');
  }
  const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  const nonce = fields.get('nonce');
  if (nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) return null;
  const hasQop = (fields.get('qop') ?? '').split(/[\s,]+/).includes('auth');
  return { realm: fields.get('realm') ?? '', nonce, algorithm, opaque: fields.get('opaque') ?? null, hasQop };
}

/** Nothing of a server's challenge, and no user name, may end a header line. */
function quoted(text: string): string {
  return text.replaceAll(/[\r\n"\\]/g, '');
}
