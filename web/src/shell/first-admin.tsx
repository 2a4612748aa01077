import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { reconnectLive } from '../data/live.ts';
import { goTo } from '../data/route.ts';
import { signedIn } from '../data/session.ts';
import type { Me } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Note } from '../parts/card.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';

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
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p class="muted">Choose the name and the password of the first administrator.</p>
        {error.value !== null && <Note tone="bad">{error.value.message}</Note>}
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
        <div class="dialog-actions">
          <Button type="submit" kind="primary">
            Create and sign in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
