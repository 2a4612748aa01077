import type { ComponentChildren } from 'preact';
import type { ApiError } from '../data/api.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Form, noteOf } from './form.tsx';

interface FormDialogProps {
  readonly title: string;
  /** The word on the button that sends the form. */
  readonly action: string;
  /** Why the manager refused the form; null before, and where it did not. */
  readonly refused: ApiError | null;
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A dialog with a form. A refusal of one field is shown by that field, any other one above the form. */
export function FormDialog({ title, action, refused, onSubmit, onClose, children }: FormDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form action={action} note={noteOf(refused)} ways={<Button onPress={onClose}>Cancel</Button>} onSubmit={onSubmit}>
        {children}
      </Form>
    </Dialog>
  );
}
