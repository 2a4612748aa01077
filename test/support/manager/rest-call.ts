import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface SendOptions {
  readonly token?: string | null;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
}

/** A request to a manager, whatever its certificate. `path` without a slash at its head is below `/api/v1/`. */
export function restCall(
  origin: string,
  method: string,
  path: string,
  { token, cookie, headers = {}, body, raw }: SendOptions = {},
): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>();
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const request = httpsRequest(`${origin}${path.startsWith('/') ? path : `/api/v1/${path}`}`, {
    method,
    rejectUnauthorized: false,
    agent: false,
    headers: {
      ...(content !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && token !== null && { authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    },
  });
  request.on('error', reject);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: asRecord(text) });
    });
  });
  request.end(content);
  return promise;
}

/** What a browser sends from our own page. */
export const sameOrigin = { 'sec-fetch-site': 'same-origin' } as const;

export function cookieOf(answer: Sent): string {
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

function asRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
