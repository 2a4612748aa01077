import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { reconnectLive } from '../data/live.ts';
import { signedIn } from '../data/session.ts';
import type { Me } from '../data/shapes.ts';
import { useResource } from '../data/resource.ts';
import { route, setQuery } from '../data/route.ts';
import { LinkButton } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { signInRefusal } from '../words/sign-in-refusal.ts';

/** Covers the page when the session has ended. The page below keeps what was typed into it. */
export function SignIn() {
  const name = useSignal('');
  const password = useSignal('');
  const error = useSignal(signInRefusal(route.value.query));
  const ways = useResource<{ readonly password: boolean; readonly oidc: boolean }>('login-methods');
  const submit = async () => {
    error.value = null;
    try {
      setQuery({ sign_in: null, provider: null });
      signedIn(await send<Me>('POST', 'login', { body: { name: name.value, password: password.value } }));
      reconnectLive();
    } catch (thrown) {
      password.value = '';
      error.value = thrown instanceof ApiError ? thrown.message : String(thrown);
    }
  };
  return (
    <Dialog title="Sign in to Adit">
      <Form
        action="Sign in"
        note={error.value}
        ways={ways.value.value?.oidc === true && <LinkButton href="/api/v1/oidc/start">Single sign-on</LinkButton>}
        onSubmit={submit}
      >
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
          autocomplete="current-password"
          required
          onValue={(text) => (password.value = text)}
        />
      </Form>
    </Dialog>
  );
}
