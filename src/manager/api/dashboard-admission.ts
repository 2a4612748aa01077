import type { IncomingMessage } from 'node:http';
import { isOwnSite } from '../access/cross-site.ts';
import type { SignIn } from '../access/sign-in.ts';
import { identify, sessionCookie } from './credentials.ts';
import { Refusal } from './refusal.ts';

/** Whether a dashboard socket may open: a session from our own page, or an API token. Any role may look. */
export function admitDashboard(signIn: SignIn, publicUrl: string | null) {
  return async (request: IncomingMessage): Promise<'admitted' | 'unauthorized' | 'cross-site'> => {
    const { authorization, origin, host } = request.headers;
    const cookie = cookieOf(request.headers.cookie ?? '');
    const fetchSite = request.headers['sec-fetch-site'];
    const from = { fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined, origin, host };
    if (cookie !== undefined && !isOwnSite(from, publicUrl)) return 'cross-site';
    try {
      return (await identify(signIn, { authorization, cookie })) === null ? 'unauthorized' : 'admitted';
    } catch (error) {
      if (error instanceof Refusal) return 'unauthorized';
      throw error;
    }
  };
}

function cookieOf(header: string): string | undefined {
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${sessionCookie}=`))?.slice(sessionCookie.length + 1);
}
