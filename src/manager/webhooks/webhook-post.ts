import { createHmac } from 'node:crypto';
import { lookup, type LookupAddress } from 'node:dns';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { errorMessage } from '../../lib/app-error.ts';
import { nodeHttp } from '../../lib/node-http.ts';
import { isPrivateAddress } from './private-address.ts';

export interface WebhookCall {
  readonly url: string;
  readonly body: string;
  /** Of the webhook; signs time and body. */
  readonly secret: string;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  readonly allowPrivate: boolean;
}

export type WebhookOutcome = { readonly ok: true } | { readonly ok: false; readonly error: string };

const deadlineMs = 10_000;

/** `sha256=` HMAC-SHA256 of `<timestamp>.<body>`: what a receiver computes to know the sender. */
export function webhookSignature(secret: string, timestamp: number, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Why a URL cannot be that of a webhook; null for one that can. Its host is checked again when it is called. */
export function webhookUrlProblem(text: string, allowPrivate: boolean): string | null {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) return 'is not an https:// address';
  if (url.username !== '' || url.password !== '') return 'carries a name or password; use the signature instead';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (allowPrivate) return null;
  if (isIP(host) !== 0 && isPrivateAddress(host)) return 'is a private or loopback address';
  return /^localhost\.?$|\.(localhost|local|internal)\.?$/i.test(host) ? 'is a private or loopback address' : null;
}

/** Makes one call. 2xx is success; redirects are not followed. Never rejects. */
export async function postWebhook(call: WebhookCall): Promise<WebhookOutcome> {
  const problem = webhookUrlProblem(call.url, call.allowPrivate);
  if (problem !== null) return { ok: false, error: `the address ${problem}` };
  try {
    const status = await post(call);
    return status >= 200 && status < 300 ? { ok: true } : { ok: false, error: `HTTP ${status}` };
  } catch (error) {
    return { ok: false, error: errorMessage(error) };
  }
}

function post({ url, body, secret, timestamp, allowPrivate }: WebhookCall): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const send = url.startsWith('https:') ? httpsRequest : nodeHttp.request;
  const request = send(url, {
    method: 'POST',
    agent: false,
    // The address that is connected to is the one that is checked: a name that changes in between gains nothing.
    lookup: allowPrivate ? undefined : publicLookup,
    signal: AbortSignal.timeout(deadlineMs),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'adit-manager',
      'x-adit-timestamp': String(timestamp),
      'x-adit-signature': webhookSignature(secret, timestamp, body),
    },
  });
  request.on('response', (response) => {
    response.destroy();
    resolve(response.statusCode ?? 0);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, [], 0);
      return;
    }
    const bad = addresses.find(({ address }) => isPrivateAddress(address));
    if (bad === undefined) answer(addresses, options.all === true, callback);
    else callback(new Error(`${hostname} resolves to a private address`), [], 0);
  });
};

function answer(addresses: readonly LookupAddress[], all: boolean, callback: Parameters<LookupFunction>[2]): void {
  const [first] = addresses;
  if (all) callback(null, [...addresses]);
  else if (first === undefined) callback(new Error('no address'), [], 0);
  else callback(null, first.address, first.family);
}
