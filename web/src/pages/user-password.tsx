import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { UserRow } from '../data/shapes.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { useSubmission } from '../parts/submission.ts';

/** For a user who has lost the password: an administrator sets another one. */
export function UserPasswordDialog({ user, onClose }: { user: UserRow; onClose: () => void }) {
  const password = useSignal('');
  const { refused, submit } = useSubmission(async () => {
    await send('PATCH', `users/${user.id}`, { body: { password: password.value } });
    notify('ok', `${user.name} has a new password and is signed out.`);
    onClose();
  });
  return (
    <FormDialog
      title={`New password for ${user.name}`}
      action="Set"
      refused={refused}
      onSubmit={submit}
      onClose={onClose}
    >
      <FormField
        label="Password"
        type="password"
        autocomplete="new-password"
        of={password}
        required
        hint="At least 12 characters. The user can change it."
        path="password"
        refused={refused}
      />
    </FormDialog>
  );
}
