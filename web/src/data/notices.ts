import { signal } from '@preact/signals';
import { ApiError } from './api.ts';
import { later } from './time.ts';

export interface Notice {
  readonly id: number;
  readonly tone: 'ok' | 'bad';
  readonly text: string;
  readonly undo?: { readonly label: string; run(): void };
}

export const notices = signal<readonly Notice[]>([]);

const shownMs = { ok: 8_000, bad: 30_000 } as const;
const mostShown = 5;
let lastId = 0;

/** Goes away by itself or when it is dismissed; what did not go well has more time to be read. */
export function notify(tone: Notice['tone'], text: string, undo?: Notice['undo']): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, tone, text, ...(undo && { undo }) }].slice(-mostShown);
  later(() => dismiss(id), shownMs[tone]);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Runs an action of the operator: says what was done, or why it was not. Returns whether it succeeded. */
export async function attempt(work: () => Promise<unknown>, done: string, undo?: Notice['undo']): Promise<boolean> {
  try {
    await work();
    notify('ok', done, undo);
    return true;
  } catch (thrown) {
    notify('bad', thrown instanceof ApiError ? thrown.message : String(thrown));
    return false;
  }
}
