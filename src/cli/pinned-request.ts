import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/**
 * Like `fetch`, from a server that must have exactly this certificate (PEM), whatever names stand in it. Rejects where
 * it has another one or nothing answers in time.
 */
export async function pinnedRequest(
  url: string,
  options: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | undefined;
    readonly certificate: string;
    readonly timeoutMs: number;
  },
): Promise<{ readonly status: number; readonly text: string }> {
  const { method, headers, body, certificate, timeoutMs } = options;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, {
      ...{ method, headers, agent: false, ca: certificate, signal: AbortSignal.timeout(timeoutMs) },
      // The certificate itself is the proof: it is the server's own file.
      checkServerIdentity: () => undefined,
    });
    asked.on('response', resolve);
    asked.on('error', reject);
    asked.end(body);
  });
  return { status: response.statusCode ?? 0, text: await text(response) };
}
