import type { NodeRow } from '../data/shapes.ts';
import { Icon, type IconName } from './icon.tsx';

const icons: Readonly<Record<NodeRow['kind'], IconName>> = {
  relay: 'relay',
  edge: 'edge',
  observer: 'pulse',
  other: 'edge',
};

interface NodeNameProps {
  readonly id: string;
  readonly name: string;
  readonly kind?: NodeRow['kind'] | undefined;
  readonly note?: string | null | undefined;
}

/** A node's name as a link. Names are text from outside: isolated, so that none turns what stands beside it around. */
export function NodeName({ id, name, kind, note }: NodeNameProps) {
  return (
    <span class="name-cell">
      {kind !== undefined && <Icon name={icons[kind]} />}
      <span class="name-text">
        <a href={`/nodes/${encodeURIComponent(id)}`}>
          <bdi>{name}</bdi>
        </a>
        {note !== undefined && note !== null && note !== '' && (
          <small class="muted">
            <bdi>{note}</bdi>
          </small>
        )}
      </span>
    </span>
  );
}
