import { request } from 'node:https';

const timeoutMs = 3_000;

/**
 * Whether the manager at this address answers its `/ready` with 200. Its certificate is not looked at: instances sign
 * their own, nothing secret is sent, and an attacker that could lie here could as well cut the connection. Never
 * rejects.
 */
export function isPeerReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(new URL('/ready', url), { rejectUnauthorized: false, agent: false, timeout: timeoutMs });
    asked.on('timeout', () => asked.destroy());
    // Not reached is not ready.
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.end();
  });
}
