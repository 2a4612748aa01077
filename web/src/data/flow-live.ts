import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, query } from './api.ts';
import { signInNeeded } from './session.ts';
import type { FlowLive, Page } from './shapes.ts';
import { every, later } from './time.ts';

const everyMs = 5_000;
/** Of the small picture: five minutes. */
const points = 60;
/** Rows that are drawn within so long are asked for together. */
const gatherMs = 50;
/** As many as the manager returns at once. */
const mostAtOnce = 60;

/** How often each flow is drawn now. */
const drawn = new Map<string, number>();
const latest = signal<ReadonlyMap<string, FlowLive>>(new Map());
let stop: (() => void) | null = null;
let soon: (() => void) | null = null;

/** How a flow runs, renewed every 5 s while it is drawn; undefined until it was read. */
export function useFlowLive(id: string): FlowLive | undefined {
  useEffect(() => {
    drawn.set(id, (drawn.get(id) ?? 0) + 1);
    stop ??= every(() => void read(), everyMs);
    soon ??= later(() => {
      soon = null;
      void read();
    }, gatherMs);
    return () => forget(id);
  }, [id]);
  return latest.value.get(id);
}

function forget(id: string): void {
  const times = (drawn.get(id) ?? 1) - 1;
  if (times > 0) {
    drawn.set(id, times);
    return;
  }
  drawn.delete(id);
  if (drawn.size > 0) return;
  stop?.();
  stop = null;
  latest.value = new Map();
}

async function read(): Promise<void> {
  const ids = Array.from(drawn.keys()).slice(0, mostAtOnce);
  if (ids.length === 0 || signInNeeded.value) return;
  try {
    const page = await get<Page<FlowLive>>(`flow-stats${query({ ids: ids.join(','), points })}`);
    latest.value = new Map(page.items.map((flow) => [flow.id, flow]));
  } catch {
    // Old figures would look like those of now.
    latest.value = new Map();
  }
}
