import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { DriftField, DriftView } from '../fleet.ts';
import type { DriftRow } from '../store/schema.ts';

/** A difference with what can be done about it, in words. */
export function driftView(row: DriftRow): DriftView {
  const fields = readFields(row.fields);
  const muted = row.muted_fingerprint === row.fingerprint;
  return { ...row, fields, muted, actions: row.resolved_at === null ? driftActions(row, fields) : {} };
}

export function readFields(text: string): readonly DriftField[] {
  const list: unknown = parseJson(text);
  return (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap((entry) => {
    const fields = asJsonObject(entry);
    if (typeof fields?.['path'] !== 'string') return [];
    return [{ path: fields['path'], desired: fields['desired'] ?? null, actual: fields['actual'] ?? null }];
  });
}

const mute = 'Hides this difference until it changes.';

/** What each action would do, as a sentence or two. */
export function driftActions(
  { kind, resource }: Pick<DriftRow, 'kind' | 'resource'>,
  fields: readonly DriftField[],
): DriftView['actions'] {
  const takesOver = resource !== 'authorisation';
  const removes = `Removes the ${resource} here and on every node that has it. It can be restored for 30 days.`;
  switch (kind) {
    case 'extraneous':
      return { ...(takesOver && { ingest: takeOver(resource) }), delete_node: deletesThere(resource), mute };
    case 'missing':
      return { repush: `Sends the ${resource} to the node again.`, delete_manager: removes, mute };
    case 'mismatched': {
      const values = fields.length > 1 ? 'values' : 'value';
      return {
        repush: `Replaces the node’s ${values}: ${changes(fields, 'actual', 'desired')}.`,
        ...(takesOver && { ingest: `Replaces the manager’s ${values}: ${changes(fields, 'desired', 'actual')}.` }),
        delete_node: `${deletesThere(resource)} The manager still wants it and shows it as missing.`,
        delete_manager: removes,
        mute,
      };
    }
  }
}

function takeOver(resource: DriftRow['resource']): string {
  const secrets =
    resource === 'tunnel'
      ? 'Its keys stay unknown here until you regenerate them.'
      : 'Its secrets stay unknown here: write them in when you change it.';
  return `Takes the ${resource} over as the node has it. ${secrets}`;
}

function deletesThere(resource: DriftRow['resource']): string {
  if (resource === 'authorisation')
    return 'Revokes the authorisation at the relay. Edges cannot bind the tunnel there.';
  return `Deletes the ${resource} on the node. Its traffic stops.`;
}

function changes(fields: readonly DriftField[], from: 'actual' | 'desired', to: 'actual' | 'desired'): string {
  return fields.map((field) => `${field.path} ${shown(field[from])} → ${shown(field[to])}`).join(', ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
