import { AppError, errorMessage } from '../../lib/app-error.ts';
import { urlForPeople } from '../../lib/url-for-people.ts';
import { mostSdpBytes } from './sdp.ts';

/** Where a WHIP or WHEP session is asked for. */
export interface Endpoint {
  readonly url: string;
  readonly bearerToken: string | null;
}

export interface Signalled {
  readonly answer: string;
  /** What ends the session with DELETE; null where the server named none. */
  readonly resource: string | null;
}

/** The server has answered, and not with a session. */
export class RefusedOffer extends AppError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('connect-failed', message);
    this.status = status;
  }
}

const timeoutMs = 10_000;

/** Posts an offer (RFC 9725 §4.2). Rejects with RefusedOffer, or with AppError `connect-failed`. */
export async function postOffer(endpoint: Endpoint, sdp: string): Promise<Signalled> {
  const response = await ask(endpoint, 'POST', sdp);
  const body = await limited(response);
  const name = urlForPeople(endpoint.url);
  if (response.status !== 201 && response.status !== 200) {
    const words = body.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
    const why = words === '' ? '' : ` (${words})`;
    throw new RefusedOffer(response.status, `${name} answered ${response.status}${why}`);
  }
  if (!body.startsWith('v=0')) throw new RefusedOffer(response.status, `${name} answered without SDP`);
  const location = response.headers.get('location');
  return { answer: body, resource: location === null ? null : new URL(location, response.url).href };
}

/** Ends a session at its server. A server that cannot be reached will notice by itself. */
export async function deleteResource(endpoint: Endpoint, resource: string): Promise<void> {
  await ask({ ...endpoint, url: resource }, 'DELETE', null).catch(() => undefined);
}

async function ask({ url, bearerToken }: Endpoint, method: string, sdp: string | null): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...(sdp !== null && { 'content-type': 'application/sdp' }),
        ...(bearerToken !== null && { authorization: `Bearer ${bearerToken}` }),
      },
      body: sdp,
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new AppError('connect-failed', `${urlForPeople(url)} cannot be reached: ${causeOf(cause)}`, { cause });
  }
}

/** The innermost words: fetch itself only says that it failed. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error ? error.cause : undefined;
  return errorMessage(inner ?? error);
}

async function limited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.length;
    if (bytes > mostSdpBytes) {
      throw new RefusedOffer(response.status, `${urlForPeople(response.url)} answered more than ${mostSdpBytes} bytes`);
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}
