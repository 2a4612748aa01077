import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly icon?: IconName;
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly title?: string | undefined;
  readonly small?: boolean;
  readonly pressed?: boolean;
  /** While its promise is pending a further press does nothing. The button keeps the focus meanwhile. */
  onPress?(): unknown;
}

export function Button(props: ButtonProps) {
  const { children, kind = 'plain', icon, type = 'button', disabled = false, title, small = false, pressed } = props;
  const busy = useSignal(false);
  const press = async () => {
    if (busy.peek()) return;
    const work = props.onPress?.();
    if (!(work instanceof Promise)) return;
    busy.value = true;
    try {
      await work;
    } finally {
      busy.value = false;
    }
  };
  return (
    <button
      type={type}
      class={`button button-${kind}${small ? ' button-small' : ''}`}
      disabled={disabled}
      aria-disabled={busy.value ? true : undefined}
      title={title}
      aria-pressed={pressed}
      onClick={props.onPress === undefined ? undefined : () => void press()}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton({ href, icon, children, kind = 'plain' }: LinkButtonProps) {
  return (
    <a class={`button button-${kind}`} href={href}>
      {icon !== undefined && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  );
}

interface LinkButtonProps {
  readonly href: string;
  readonly icon?: IconName;
  readonly children: ComponentChildren;
  readonly kind?: 'plain' | 'primary';
}
