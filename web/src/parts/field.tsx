import type { ComponentChildren, TargetedInputEvent } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | null | undefined;
  readonly type?: 'text' | 'password';
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly autocomplete?: 'username' | 'current-password' | 'new-password' | 'off';
  onValue(value: string): void;
}

/** A labelled text field. A refusal of its value stands right below it. */
export function Field(props: FieldProps) {
  const {
    label,
    value,
    hint,
    error = null,
    type = 'text',
    placeholder,
    required = false,
    autocomplete = 'off',
  } = props;
  const id = useId();
  const common = {
    id,
    value,
    placeholder,
    required,
    autocomplete,
    'aria-invalid': error !== null,
    'aria-describedby': `${id}-hint`,
    onInput: (event: TargetedInputEvent<HTMLInputElement>) => props.onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'password' ? <input type="password" {...common} /> : <input type="text" {...common} />}
      <p id={`${id}-hint`} class={error === null ? 'hint' : 'hint hint-error'}>
        {error ?? hint}
      </p>
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly word: string }[];
  readonly hint?: ComponentChildren;
  readonly error?: string | null | undefined;
  onValue(value: string): void;
}

export function Choice({ label, value, choices, hint, error = null, onValue }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-invalid={error !== null}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.word}
          </option>
        ))}
      </select>
      <p id={`${id}-hint`} class={error === null ? 'hint' : 'hint hint-error'}>
        {error ?? hint}
      </p>
    </div>
  );
}

interface TickProps {
  readonly label: string;
  readonly checked: boolean;
  onValue(checked: boolean): void;
}

export function Tick({ label, checked, onValue }: TickProps) {
  return (
    <label class="tick">
      <input type="checkbox" checked={checked} onChange={(event) => onValue(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
