import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button.tsx';

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
  /** Absent: the dialogue cannot be closed. */
  onClose?(): void;
}

/** What had the focus before the first of the dialogues that are open. */
let opener: HTMLElement | null = null;

function rememberOpener(): void {
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && focused !== document.body) opener = focused;
}

/** A modal dialogue. The browser keeps the focus in it; afterwards it is where it was before. */
export function Dialog({ title, children, wide = false, onClose }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    rememberOpener();
    dialog?.showModal();
    return () => {
      dialog?.close();
      // The element is gone by now, and the browser gives the focus back to nothing.
      if (opener?.isConnected === true) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <h2 id={heading}>
        <bdi>{title}</bdi>
      </h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action: string;
  readonly danger?: boolean;
  onConfirm(): unknown;
  onClose(): void;
}

/** Asks before something is done, and says what it will do. */
export function Confirm({ title, children, action, danger = false, onConfirm, onClose }: ConfirmProps) {
  const confirm = async () => {
    await onConfirm();
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">{children}</div>
      <div class="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button kind={danger ? 'danger' : 'primary'} onPress={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
