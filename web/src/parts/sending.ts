import { useSignal, type ReadonlySignal } from '@preact/signals';

interface Sending {
  readonly busy: ReadonlySignal<boolean>;
  /** Does nothing while it runs: a form that is sent twice would make two of what it makes. */
  run(): Promise<void>;
}

/** Work that must not be begun again before it has ended. */
export function useSending(work: () => Promise<void>): Sending {
  const busy = useSignal(false);
  const run = async () => {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await work();
    } finally {
      busy.value = false;
    }
  };
  return { busy, run };
}
