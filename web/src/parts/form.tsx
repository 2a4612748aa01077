import type { ComponentChildren } from 'preact';
import type { ApiError } from '../data/api.ts';
import { Button } from './button.tsx';
import { Note } from './card.tsx';
import { useSending } from './sending.ts';

interface FormProps {
  /** The word on the button that sends the form. */
  readonly action: string;
  /** Shown above the fields; null where there is nothing to say. */
  readonly note: string | null;
  /** The buttons before the one that sends. */
  readonly ways?: ComponentChildren;
  readonly onSubmit: () => Promise<void>;
  readonly children: ComponentChildren;
}

export function Form({ action, note, ways, onSubmit, children }: FormProps) {
  const { busy, run } = useSending(onSubmit);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      {note !== null && <Note tone="bad">{note}</Note>}
      {children}
      <div class="dialog-actions">
        {ways}
        <Button type="submit" kind="primary" disabled={busy.value}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** The note for a form that the manager refused. A refusal of one field is shown by that field instead. */
export function noteOf(refused: ApiError | null): string | null {
  return refused === null || refused.refusal.details !== undefined ? null : refused.message;
}
