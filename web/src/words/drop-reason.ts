/** Those of our relays and edges, as short as a card has room for. */
const words: Readonly<Record<string, string>> = {
  no_peer: 'other edge not bound',
  too_large: 'too large',
  queue_full: 'queue full',
  expired: 'too old',
  wrong_protocol: 'not of this protocol',
  closing: 'tunnel was closing',
  congestion: 'path full',
};

/** Other programs have reasons of their own. */
export function dropReason(reason: string): string {
  return words[reason] ?? reason.replaceAll('_', ' ');
}
