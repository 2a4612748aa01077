import { useSignal } from '@preact/signals';
import { ApiError, unexpected } from '../data/api.ts';

interface Submission {
  /** Why the last attempt failed; null before the first. */
  readonly refused: ApiError | null;
  submit(): Promise<void>;
}

/** Keeps the refusal of a form that `work` sends, to be shown beside its fields. */
export function useSubmission(work: () => Promise<void>): Submission {
  const refused = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      await work();
    } catch (thrown) {
      refused.value = thrown instanceof ApiError ? thrown : unexpected(thrown);
    }
  };
  return { refused: refused.value, submit };
}
