import { parseRfc3339 } from '../../lib/clock.ts';
import type { EdgeRelayReport, EdgeTunnelReport, TroubleReport } from '../admin/edge-schemas.ts';

/** If nothing has tried again for this long, the fault is no alarm any more. */
const currentMs = 600_000;

const words: Readonly<Record<TroubleReport['kind'], (tunnel: EdgeTunnelReport, cause: string) => string>> = {
  local: ({ local_addr: address }, cause) => `nothing takes what arrives for ${address}: ${cause}`,
  machine: ({ local_addr: address }, cause) => `this machine has no way to ${address}: ${cause}`,
  senders: ({ local_addr: address }) => `several programs send to ${address}: answers go to the one that sent last`,
  far: () => 'the program behind the other edge does not accept connections',
  key: () => 'what the other edge sends cannot be opened: the edges have different keys',
  'far-machine': () => 'the machine of the other edge has no way to its program',
  'far-key': () => 'the other edge cannot open what is sent to it: the edges have different keys',
};

/** What is wrong with a tunnel that is up, a clause for each, for `/health`. */
export function tunnelProblems(tunnel: EdgeTunnelReport, nowMs: number): readonly string[] {
  const current = tunnel.troubles.filter((trouble) => isCurrent(trouble, nowMs));
  return [...current.map(({ kind, cause }) => words[kind](tunnel, cause)), ...lostRedundancy(tunnel)];
}

export function isCurrent({ last_at: lastAt }: Pick<TroubleReport, 'last_at'>, nowMs: number): boolean {
  return nowMs - parseRfc3339(lastAt) <= currentMs;
}

/** A tunnel with two relays that could not do without the one that it uses. */
function lostRedundancy({ relays, state }: EdgeTunnelReport): string[] {
  if (relays.length < 2 || state !== 'ready') return [];
  return relays.flatMap((relay) => {
    const missing = whatIsMissing(relay);
    return missing === null ? [] : [`no fail-over: ${missing}`];
  });
}

function whatIsMissing({ relay_addr: address, state, suspect, last_problem: last }: EdgeRelayReport): string | null {
  if (suspect) return `the relay ${address} does not answer`;
  if (state === 'ready' || state === 'stopped') return null;
  if (state === 'waiting') return `the other edge is not at the relay ${address}`;
  return `no leg at the relay ${address}${last === null ? '' : ` (${last})`}`;
}
