import { Icon } from './icon.tsx';

interface NodeNameProps {
  readonly id: string;
  readonly name: string;
  readonly kind?: 'relay' | 'edge' | 'other' | undefined;
  readonly note?: string | null | undefined;
}

/** A node's name as a link. Names are text from outside: isolated, so that none turns what stands beside it around. */
export function NodeName({ id, name, kind, note }: NodeNameProps) {
  return (
    <span class="name-cell">
      {kind !== undefined && <Icon name={kind === 'relay' ? 'relay' : 'edge'} />}
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
