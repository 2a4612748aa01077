/** Those of our relays and edges whose name does not say enough, as short as a card has room for. */
const words: Readonly<Record<string, string>> = {
  no_peer: 'other edge not bound',
  expired: 'too old',
  wrong_protocol: 'not of this protocol',
  closing: 'tunnel was closing',
  congestion: 'path full',
};

/** The others say it by their name. Other programs have reasons of their own. */
export function dropReason(reason: string): string {
  return words[reason] ?? reason.replaceAll('_', ' ');
}
