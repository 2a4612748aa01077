import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const current = useSignal('');
  const wanted = useSignal('');
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      await send('POST', 'password', { body: { current: current.value, password: wanted.value } });
      notify('ok', 'Password changed. Other sessions of yours are signed out.');
      onClose();
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : null;
    }
  };
  return (
    <FormDialog title="Change password" action="Change" refused={error.value} onSubmit={submit} onClose={onClose}>
      <Field
        label="Current password"
        type="password"
        value={current.value}
        autocomplete="current-password"
        required
        error={error.value?.field('current') ?? null}
        onValue={(text) => (current.value = text)}
      />
      <Field
        label="New password"
        type="password"
        value={wanted.value}
        autocomplete="new-password"
        required
        hint="At least 12 characters."
        error={error.value?.field('password') ?? null}
        onValue={(text) => (wanted.value = text)}
      />
    </FormDialog>
  );
}
