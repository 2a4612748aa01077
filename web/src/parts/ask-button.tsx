import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { Confirm } from './dialog.tsx';

interface AskButtonProps {
  /** On the button, and on that of the question. */
  readonly action: string;
  readonly title: string;
  readonly disabled?: boolean;
  /** What will follow. */
  readonly children: ComponentChildren;
  onConfirm(): unknown;
}

/** A small button for what cannot be undone: it asks first. */
export function AskButton({ action, title, disabled = false, children, onConfirm }: AskButtonProps) {
  const asking = useSignal(false);
  return (
    <>
      <Button small kind="danger" disabled={disabled} onPress={() => (asking.value = true)}>
        {action}
      </Button>
      {asking.value && (
        <Confirm title={title} action={action} danger onConfirm={onConfirm} onClose={() => (asking.value = false)}>
          {children}
        </Confirm>
      )}
    </>
  );
}
