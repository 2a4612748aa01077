import { readingSignal, whenStaying } from './leaving.ts';
import { signInNeeded, untilSignedIn } from './session.ts';
import type { Refusal } from './shapes.ts';

/** A request that the server refused, or that never reached it (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly refusal: Refusal;

  constructor(status: number, refusal: Refusal) {
    super(refusal.error);
    this.status = status;
    this.refusal = refusal;
  }

  /** The message for one field of a form, or null. */
  field(path: string): string | null {
    return this.refusal.details?.find((detail) => detail.path === path)?.message ?? null;
  }
}

/** What is shown where something else than a request failed. */
export function unexpected(thrown: unknown): ApiError {
  return new ApiError(0, { error: String(thrown), error_code: 'unexpected' });
}

export interface SendOptions {
  readonly body?: unknown;
  /** The generation that was read; the server answers 412 when it has moved on. */
  readonly generation?: number | undefined;
}

/** Longer than any command to a node takes. */
const longestAnswerMs = 60_000;

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** Sends one request and waits for a log-in where the session has ended. Rejects with ApiError. */
export async function send<Answer>(method: Method, path: string, options: SendOptions = {}): Promise<Answer> {
  const needsSession = !path.startsWith('login');
  const isRead = method === 'GET' && needsSession;
  for (;;) {
    if (isRead) await whenStaying();
    if (isRead && signInNeeded.value) await untilSignedIn();
    const reply = await request(method, path, options, isRead ? readingSignal() : null);
    // The user has signed out meanwhile: it is read again at the next log-in.
    if (reply === null) continue;
    const { response, text } = reply;
    if (response.status === 401 && needsSession) {
      await untilSignedIn();
      continue;
    }
    const answer = readJson(text);
    if (response.ok) return answer as Answer;
    throw new ApiError(response.status, refusalIn(answer, response));
  }
}

export function get<Answer>(path: string): Promise<Answer> {
  return send<Answer>('GET', path);
}

/** Null when `ended` has ended it. */
async function request(
  method: Method,
  path: string,
  { body, generation }: SendOptions,
  ended: AbortSignal | null,
): Promise<{ readonly response: Response; readonly text: string } | null> {
  const timeout = AbortSignal.timeout(longestAnswerMs);
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(generation !== undefined && { 'if-match': `"${generation}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: ended === null ? timeout : AbortSignal.any([timeout, ended]),
    });
    return { response, text: await response.text() };
  } catch (thrown) {
    if (ended?.aborted === true) return null;
    const late = thrown instanceof DOMException && thrown.name === 'TimeoutError';
    const error = late
      ? 'The manager has not answered for a minute. It may still do what was asked: look before you try again.'
      : 'The manager cannot be reached.';
    throw new ApiError(0, { error, error_code: 'unreachable' });
  }
}

function readJson(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function refusalIn(answer: unknown, response: Response): Refusal {
  if (typeof answer === 'object' && answer !== null && 'error' in answer) return answer as Refusal;
  return { error: `The manager refused: ${response.status} ${response.statusText}`, error_code: 'refused' };
}

/** `{limit: 50, q: ''}` as a query string; empty values are left out. */
export function query(values: Readonly<Record<string, string | number | null | undefined>>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
