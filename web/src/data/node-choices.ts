import { useRows } from './rows.ts';
import type { NodeRow } from './shapes.ts';

interface NodeChoices {
  /** All nodes of the kind by name; those that are not connected say so. */
  readonly choices: readonly { readonly value: string; readonly word: string }[];
  /** True once it is known that there is none. */
  readonly none: boolean;
}

/** The nodes that a form offers, however many there are. */
export function useNodeChoices(kind: 'edge' | 'relay'): NodeChoices {
  const rows = useRows<NodeRow>('nodes', { kind }, { topic: 'nodes', whole: true });
  const nodes = rows.items.value;
  const choices = nodes.map(({ id, name, state }) => ({
    value: id,
    word: state === 'online' ? name : `${name} (${state})`,
  }));
  return { choices, none: nodes.length === 0 && rows.complete.value };
}
