import { errorMessage } from '../../lib/app-error.ts';

export interface PutRequest {
  readonly url: string;
  readonly contentType: string;
  readonly bearerToken: string | null;
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** Gives up before the time is over. */
  readonly signal: AbortSignal;
}

/** The status of the answer, or why there was none. */
export type PutResult = { readonly status: number } | { readonly error: string };

/** Puts a document over HTTP. Redirects are not followed: they would take the token to another place. */
export async function httpPut({
  url,
  contentType,
  bearerToken,
  body,
  timeoutMs,
  signal,
}: PutRequest): Promise<PutResult> {
  try {
    const response = await fetch(url, {
      method: 'PUT',
      body: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length),
      redirect: 'manual',
      headers: {
        'content-type': contentType,
        'cache-control': 'no-cache',
        ...(bearerToken !== null && { authorization: `Bearer ${bearerToken}` }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // The body of the response is not used; the connection is free again without it.
    await response.body?.cancel();
    return { status: response.status };
  } catch (cause) {
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    return { error: timedOut ? `no answer within ${timeoutMs / 1000} s` : errorMessage(cause) };
  }
}
