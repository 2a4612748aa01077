import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { DriftField, DriftView } from '../fleet.ts';
import type { DriftRow } from '../store/schema.ts';

/** A difference with what can be done about it, in words. */
export function driftView(row: DriftRow): DriftView {
  const fields = readFields(row.fields);
  const muted = row.muted_fingerprint === row.fingerprint;
  return { ...row, fields, muted, actions: row.resolved_at === null ? actionsOf(row, fields) : {} };
}

export function readFields(text: string): readonly DriftField[] {
  const list: unknown = parseJson(text);
  return (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap((entry) => {
    const fields = asJsonObject(entry);
    if (typeof fields?.['path'] !== 'string') return [];
    return [{ path: fields['path'], desired: fields['desired'] ?? null, actual: fields['actual'] ?? null }];
  });
}

const mute = 'says nothing of this difference any more, until it changes';

function actionsOf({ kind, resource }: DriftRow, fields: readonly DriftField[]): DriftView['actions'] {
  const takesOver = resource !== 'authorisation';
  switch (kind) {
    case 'extraneous':
      return {
        ...(takesOver && { ingest: `the manager takes this ${resource} over as the node has it` }),
        delete_node: `the node forgets this ${resource}`,
        mute,
      };
    case 'missing':
      return {
        repush: `the node gets this ${resource} again`,
        delete_manager: `the manager removes this ${resource}, everywhere`,
        mute,
      };
    case 'mismatched':
      return {
        repush: `replaces the node’s value: ${changes(fields, 'actual', 'desired')}`,
        ...(takesOver && { ingest: `replaces the manager’s value: ${changes(fields, 'desired', 'actual')}` }),
        delete_node: `the node forgets this ${resource}`,
        delete_manager: `the manager removes this ${resource}, everywhere`,
        mute,
      };
  }
}

function changes(fields: readonly DriftField[], from: 'actual' | 'desired', to: 'actual' | 'desired'): string {
  return fields.map((field) => `${field.path} ${shown(field[from])} → ${shown(field[to])}`).join(', ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
