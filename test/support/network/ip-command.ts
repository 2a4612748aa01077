import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** Runs `ip` of iproute2. Throws with its complaint. */
export function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The first three bytes of a network for tests between devices (RFC 2544 §C.2.2), which nobody routes. */
export function unroutedNetwork(): string {
  return `198.${randomInt(18, 20)}.${randomInt(0, 256)}`;
}
