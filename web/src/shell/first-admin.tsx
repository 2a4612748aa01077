import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { reconnectLive } from '../data/live.ts';
import { goTo } from '../data/route.ts';
import { signedIn } from '../data/session.ts';
import type { Me } from '../data/shapes.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { FormField } from '../parts/form-field.tsx';
import { Form } from '../parts/form.tsx';
import { useSubmission } from '../parts/submission.ts';

/** Where the one-time link of the first start leads. Its token stands behind `#`, so no server log shows it. */
export function FirstAdmin() {
  const name = useSignal('admin');
  const password = useSignal('');
  const { refused, submit } = useSubmission(async () => {
    const body = { token: location.hash.slice(1), name: name.value, password: password.value };
    signedIn(await send<Me>('POST', 'first-admin', { body }));
    reconnectLive();
    goTo('/');
  });
  return (
    <Dialog title="Welcome to Adit">
      <Form action="Create and sign in" note={refused?.message ?? null} onSubmit={submit}>
        <p class="muted">Choose the name and the password of the first administrator.</p>
        <Field
          label="Name"
          value={name.value}
          autocomplete="username"
          required
          onValue={(text) => (name.value = text)}
        />
        <FormField
          label="Password"
          type="password"
          of={password}
          autocomplete="new-password"
          required
          hint="At least 12 characters."
          path="password"
          refused={refused}
        />
      </Form>
    </Dialog>
  );
}
