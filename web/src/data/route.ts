import { signal } from '@preact/signals';
import { later } from './time.ts';

export interface Location {
  /** Parts of the path, decoded: `/nodes/a%2Fb` is `['nodes', 'a/b']`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export const route = signal<Location>(readLocation());

function readLocation(): Location {
  const parts = location.pathname.split('/').filter(Boolean).map(decode);
  return { parts, query: new URLSearchParams(location.search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function goTo(path: string): void {
  history.pushState(null, '', path);
  route.value = readLocation();
  document.querySelector('main')?.scrollTo(0, 0);
  // Once the new page is drawn: its title, not that of the page before.
  later(() => document.querySelector<HTMLElement>('h1')?.focus(), 0);
}

/** Puts a filter into the address, so that it can be shared and survives a reload. */
export function setQuery(values: Readonly<Record<string, string | null>>): void {
  const params = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === '') params.delete(key);
    else params.set(key, value);
  }
  const text = params.toString();
  history.replaceState(null, '', location.pathname + (text === '' ? '' : `?${text}`));
  route.value = readLocation();
}

/** Links within the page change the view without loading it anew. Call once. */
export function startRouting(): void {
  addEventListener('popstate', () => {
    route.value = readLocation();
  });
  document.addEventListener('click', (event) => {
    const path = followedLink(event);
    if (path === null) return;
    event.preventDefault();
    goTo(path);
  });
}

function followedLink(event: MouseEvent): string | null {
  if (event.defaultPrevented || opensElsewhere(event)) return null;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link?.target !== '' || link.hasAttribute('download')) return null;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/api/')) return null;
  if (url.hash !== '' && url.pathname === location.pathname) return null;
  return url.pathname + url.search + url.hash;
}

function opensElsewhere({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean {
  return button !== 0 || metaKey || ctrlKey || shiftKey || altKey;
}
