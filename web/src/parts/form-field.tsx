import type { Signal } from '@preact/signals';
import type { ApiError } from '../data/api.ts';
import { Field, type FieldProps } from './field.tsx';

interface FormFieldProps extends Omit<FieldProps, 'value' | 'error' | 'onValue'> {
  readonly of: Signal<string>;
  /** Of the value in the body that is sent; a refusal names it. */
  readonly path: string;
  readonly refused: ApiError | null;
}

/** A text field that keeps its value in a signal and shows the manager's refusal of it. */
export function FormField({ of, path, refused, ...field }: FormFieldProps) {
  return <Field {...field} value={of.value} error={refused?.field(path)} onValue={(text) => (of.value = text)} />;
}
