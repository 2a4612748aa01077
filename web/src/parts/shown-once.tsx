import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { CodeBlock } from './code.tsx';
import { Dialog } from './dialog.tsx';

interface ShownOnceProps {
  readonly title: string;
  readonly secret: string;
  readonly onClose: () => void;
  /** How the secret is used. */
  readonly children: ComponentChildren;
}

/** A new secret, which the manager does not give a second time. */
export function ShownOnce({ title, secret, onClose, children }: ShownOnceProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>Shown once. {children}</p>
      <CodeBlock label={title} text={secret} />
      <div class="dialog-actions">
        <Button kind="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
