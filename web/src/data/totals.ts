import { signal } from '@preact/signals';
import { get } from './api.ts';
import { follow } from './live.ts';
import { me } from './session.ts';
import type { Overview } from './shapes.ts';
import { every } from './time.ts';

/** The fleet's counts: the overview shows them, the navigation its alarms. */
export const totals = signal<Overview | null>(null);

const rereadMs = 10_000;

let reading = false;

async function read(): Promise<void> {
  if (me.value === null || reading) return;
  reading = true;
  try {
    totals.value = await get<Overview>('overview');
  } catch {
    // The stale banner already says that the manager is away; the last counts stay.
  } finally {
    reading = false;
  }
}

/** Keeps the counts fresh. Call once. */
export function startTotals(): void {
  me.subscribe(() => void read());
  follow('overview', (message) => {
    const [counts] = message.items ?? [];
    if (counts === undefined) void read();
    else totals.value = counts as Overview;
  });
  every(() => void read(), rereadMs);
}
