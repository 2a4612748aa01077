import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

export interface WalkedPage {
  readonly status: number;
  readonly url: string;
  readonly body: string;
}

const mostRedirects = 12;

/** What a browser does with redirects and cookies, for sign-ins that lead over other servers. */
export class BrowserWalk {
  readonly #cookies = new Map<string, string>();

  /** Follows redirects until a page answers, or until `until` says that this address is not to be asked. */
  async go(address: string, until: (url: string) => boolean = () => false): Promise<WalkedPage> {
    let url = address;
    for (let count = 0; count < mostRedirects; count++) {
      if (until(url)) return { status: 0, url, body: '' };
      const response = await this.#ask('GET', url);
      const { statusCode: status = 0, headers } = response;
      const body = await text(response);
      if (headers.location === undefined) return { status, url, body };
      url = new URL(headers.location, url).href;
    }
    throw new Error(`${address} leads in circles`);
  }

  async post(url: string): Promise<number> {
    const response = await this.#ask('POST', url);
    response.resume();
    return response.statusCode ?? 0;
  }

  #ask(method: string, url: string): Promise<IncomingMessage> {
    const { origin } = new URL(url);
    const cookies = [...this.#cookies].filter(([name]) => name.startsWith(`${origin} `));
    const cookie = cookies.map(([name, value]) => `${name.slice(origin.length + 1)}=${value}`).join('; ');
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asked = request(url, {
      ...{ method, rejectUnauthorized: false, agent: false },
      headers: { ...(cookie !== '' && { cookie }), 'sec-fetch-site': 'same-origin' },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      for (const line of response.headers['set-cookie'] ?? []) this.#keep(origin, line);
      resolve(response);
    });
    asked.end();
    return promise;
  }

  #keep(origin: string, line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') this.#cookies.delete(`${origin} ${name}`);
    else this.#cookies.set(`${origin} ${name}`, value);
  }
}
