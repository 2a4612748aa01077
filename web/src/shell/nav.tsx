import { me, may } from '../data/session.ts';
import { route } from '../data/route.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { totals } from '../data/totals.ts';

interface Place {
  readonly path: string;
  readonly word: string;
  readonly icon: IconName;
  /** A number that wants attention; null shows none. */
  readonly alarm?: () => number;
}

const groups: readonly { readonly title: string; readonly admin: boolean; readonly places: readonly Place[] }[] = [
  {
    title: 'Fleet',
    admin: false,
    places: [
      { path: '', word: 'Overview', icon: 'overview' },
      { path: 'nodes', word: 'Nodes', icon: 'nodes' },
      { path: 'tunnels', word: 'Tunnels', icon: 'tunnel' },
      { path: 'flows', word: 'Flows', icon: 'flow' },
    ],
  },
  {
    title: 'Watch',
    admin: false,
    places: [
      { path: 'drift', word: 'Drift', icon: 'drift', alarm: () => totals.value?.drift_open ?? 0 },
      { path: 'events', word: 'Events', icon: 'events', alarm: () => totals.value?.critical_unacknowledged ?? 0 },
      { path: 'removed', word: 'Recently removed', icon: 'removed' },
    ],
  },
  {
    title: 'Administration',
    admin: true,
    places: [
      { path: 'audit', word: 'Audit', icon: 'audit' },
      { path: 'users', word: 'Users', icon: 'users' },
      { path: 'tokens', word: 'API tokens', icon: 'token' },
      { path: 'webhooks', word: 'Webhooks', icon: 'webhook' },
      { path: 'settings', word: 'Settings', icon: 'settings' },
      { path: 'instances', word: 'Instances', icon: 'instances' },
    ],
  },
];

export function Nav({ open, onChosen }: { open: boolean; onChosen: () => void }) {
  const here = route.value.parts[0] ?? '';
  return (
    <nav class={open ? 'nav nav-open' : 'nav'} aria-label="Pages">
      <a class="brand" href="/" onClick={onChosen}>
        <BrandMark />
        <span>Adit</span>
      </a>
      {groups
        .filter(({ admin }) => !admin || me.value === null || may('admin'))
        .map(({ title, places }) => (
          <div class="nav-group" key={title}>
            <p class="nav-title">{title}</p>
            <ul>
              {places.map((place) => (
                <NavPlace key={place.path} place={place} current={here === place.path} onChosen={onChosen} />
              ))}
            </ul>
          </div>
        ))}
    </nav>
  );
}

function NavPlace({ place, current, onChosen }: { place: Place; current: boolean; onChosen: () => void }) {
  const alarm = place.alarm?.() ?? 0;
  return (
    <li>
      <a href={`/${place.path}`} aria-current={current ? 'page' : undefined} onClick={onChosen}>
        <Icon name={place.icon} />
        <span>{place.word}</span>
        {alarm > 0 && (
          <span class="nav-alarm">
            {alarm}
            <span class="sr"> open</span>
          </span>
        )}
      </a>
    </li>
  );
}

function BrandMark() {
  return (
    <svg class="brand-mark" width="26" height="26" viewBox="0 0 26 26" aria-hidden="true" focusable="false">
      <rect width="26" height="26" rx="7" />
      <path d="M6 20v-5.500a7 7 0 0 1 14 0V20M10.500 20v-5a2.500 2.500 0 0 1 5 0v5" />
    </svg>
  );
}
