import { errorMessage } from '../../lib/app-error.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import type { Edge } from '../edge.ts';

/** Stores first: what runs is left alone when the disk does not take the change. */
export async function storedChange<Previous>(
  edge: Pick<Edge, 'events'>,
  store: () => Promise<Previous>,
  apply: (previous: Previous) => Promise<CommandOutcome>,
): Promise<CommandOutcome> {
  let previous: Previous;
  try {
    previous = await store();
  } catch (cause) {
    const error = errorMessage(cause);
    edge.events.emit({ kind: 'configuration-not-persisted', error });
    return { success: false, error: `Failed to persist configuration: ${error}`, error_code: 'persistence_failed' };
  }
  const outcome = await apply(previous);
  if (outcome.success) edge.events.emit({ kind: 'configuration-updated' });
  return outcome;
}
