import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { useSubmission } from '../parts/submission.ts';

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const current = useSignal('');
  const wanted = useSignal('');
  const { refused, submit } = useSubmission(async () => {
    await send('POST', 'password', { body: { current: current.value, password: wanted.value } });
    notify('ok', 'Password changed. Other sessions of yours are signed out.');
    onClose();
  });
  return (
    <FormDialog title="Change password" action="Change" refused={refused} onSubmit={submit} onClose={onClose}>
      <FormField
        label="Current password"
        type="password"
        of={current}
        autocomplete="current-password"
        required
        path="current"
        refused={refused}
      />
      <FormField
        label="New password"
        type="password"
        of={wanted}
        autocomplete="new-password"
        required
        hint="At least 12 characters."
        path="password"
        refused={refused}
      />
    </FormDialog>
  );
}
