import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { UserRow } from '../data/shapes.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';

/** For a user who has lost the password: an administrator sets another one. */
export function UserPasswordDialog({ user, onClose }: { user: UserRow; onClose: () => void }) {
  const password = useSignal('');
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      await send('PATCH', `users/${user.id}`, { body: { password: password.value } });
      notify('ok', `${user.name} has a new password and is signed out.`);
      onClose();
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : null;
    }
  };
  return (
    <FormDialog
      title={`New password for ${user.name}`}
      action="Set"
      refused={error.value}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field
        label="Password"
        type="password"
        autocomplete="new-password"
        value={password.value}
        required
        hint="At least 12 characters. The user can change it."
        error={error.value?.field('password')}
        onValue={(text) => (password.value = text)}
      />
    </FormDialog>
  );
}
