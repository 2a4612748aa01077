import type { ComponentChildren } from 'preact';
import { route, setQuery } from '../data/route.ts';
import { Icon } from './icon.tsx';

/** A search box bound to `?q=` of the address. */
export function SearchBox({ label }: { label: string }) {
  return (
    <label class="search">
      <Icon name="search" />
      <span class="sr">{label}</span>
      <input
        type="search"
        placeholder={label}
        value={route.value.query.get('q') ?? ''}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
    </label>
  );
}

interface ChipsProps {
  readonly label: string;
  /** The key of the address that holds the choice. */
  readonly name: string;
  readonly choices: readonly { readonly value: string; readonly word: string }[];
}

/** One choice of several, or none. */
export function Chips({ label, name, choices }: ChipsProps) {
  const current = route.value.query.get(name);
  return (
    <div class="chips" role="group" aria-label={label}>
      {choices.map(({ value, word }) => (
        <button
          key={value}
          type="button"
          class="chip"
          aria-pressed={current === value}
          onClick={() => setQuery({ [name]: current === value ? null : value })}
        >
          {word}
        </button>
      ))}
    </div>
  );
}

export function FilterBar({ children }: { children: ComponentChildren }) {
  return <div class="filter-bar">{children}</div>;
}

/** Values of the address as a filter of the API. */
export function filterFromAddress(...names: readonly string[]): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, route.value.query.get(name)]));
}
