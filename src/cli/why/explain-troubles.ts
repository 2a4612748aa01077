import type { EdgeTunnelFacts, EdgeTunnelReport, TroubleReport } from '../../edge/admin/edge-schemas.ts';
import { isCurrent } from '../../edge/tunnel/tunnel-problems.ts';
import { parseRfc3339 } from '../../lib/clock.ts';
import { note, problem, type Finding } from './finding.ts';
import { durationBetween } from './time-words.ts';

const sameKey = 'give both edges the same tunnel_encryption_key';

const words: Readonly<
  Record<TroubleReport['kind'], (tunnel: EdgeTunnelReport, cause: string) => readonly [text: string, remedy: string]>
> = {
  local: ({ local_addr: address }, cause) => [
    `Nothing takes what arrives for ${address}: ${cause}`,
    'start the program that this tunnel feeds, or mend local_addr; or this edge runs the other edge’s file',
  ],
  machine: ({ local_addr: address, direction }, cause) =>
    direction === 'ingress'
      ? [
          `This machine has no way to ${address}: ${cause}`,
          'look at its addresses and routes (ip address, ip route get); the socket is opened anew by itself',
        ]
      : [
          `This machine cannot listen on ${address}: ${cause}`,
          'give it the address again, or set local_addr to one that it has (ip address)',
        ],
  senders: ({ local_addr: address }) => [
    `Several programs send to ${address} at once, and answers reach only the one that sent last`,
    'give each of them a tunnel of its own',
  ],
  far: () => [
    'The program behind the other edge does not accept connections',
    'start it there, or mend local_addr of that edge: adit why there says which',
  ],
  'far-machine': () => [
    'The machine of the other edge has no way to the program there',
    'look at its addresses and routes: adit why there says which',
  ],
  key: () => ['What the other edge sends cannot be opened: the edges have different keys', sameKey],
  'far-key': () => ['The other edge cannot open what is sent to it: the edges have different keys', sameKey],
};

/** Faults that stand until something works again; one that nothing has tried for ten minutes only explains. */
export function troubleFindings({ tunnel, at }: EdgeTunnelFacts): Finding[] {
  return tunnel.troubles.map((trouble) => {
    const [text, remedy] = words[trouble.kind](tunnel, trouble.cause);
    const sentence = `${text} (${timesWords(trouble, at)}).`;
    return isCurrent(trouble, parseRfc3339(at)) ? problem(sentence, remedy) : note(sentence, remedy);
  });
}

function timesWords({ kind, count, since, last_at: lastAt }: TroubleReport, at: string): string {
  // That the other edge says so is no count of anything, nor is how often the senders were looked at.
  if (kind.startsWith('far') || kind === 'senders') return `for ${durationBetween(since, at)}`;
  const last = `${durationBetween(lastAt, at)} ago`;
  return count === 1 ? `once, ${last}` : `${count} times in ${durationBetween(since, at)}, the last one ${last}`;
}
