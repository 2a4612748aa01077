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

const shownMs = 8_000;
let lastId = 0;

export function notify(tone: Notice['tone'], text: string, undo?: Notice['undo']): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, tone, text, ...(undo && { undo }) }];
  later(() => dismiss(id), shownMs);
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
