import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { reconnectLive } from '../data/live.ts';
import { goTo } from '../data/route.ts';
import { signedIn } from '../data/session.ts';
import type { Me } from '../data/shapes.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';

/** Where the one-time link of the first start leads. Its token stands behind `#`, so no server log shows it. */
export function FirstAdmin() {
  const name = useSignal('admin');
  const password = useSignal('');
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      const body = { token: location.hash.slice(1), name: name.value, password: password.value };
      signedIn(await send<Me>('POST', 'first-admin', { body }));
      reconnectLive();
      goTo('/');
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : null;
    }
  };
  return (
    <Dialog title="Welcome to Adit">
      <Form action="Create and sign in" note={error.value?.message ?? null} onSubmit={submit}>
        <p class="muted">Choose the name and the password of the first administrator.</p>
        <Field
          label="Name"
          value={name.value}
          autocomplete="username"
          required
          onValue={(text) => (name.value = text)}
        />
        <Field
          label="Password"
          type="password"
          value={password.value}
          autocomplete="new-password"
          required
          hint="At least 12 characters."
          error={error.value?.field('password')}
          onValue={(text) => (password.value = text)}
        />
      </Form>
    </Dialog>
  );
}
