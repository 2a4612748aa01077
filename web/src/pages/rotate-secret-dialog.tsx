import { useSignal } from '@preact/signals';
import { query, send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import { Tick } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useSubmission } from '../parts/submission.ts';

interface RotateSecretProps {
  /** Of the node in the API. */
  readonly path: string;
  onClose(): void;
  onRotated(): void;
}

/** Gives a node another secret, and says whether the node has confirmed it. */
export function RotateSecretDialog({ path, onClose, onRotated }: RotateSecretProps) {
  const stolen = useSignal(false);
  const { refused, submit } = useSubmission(async () => {
    const asked = `${path}/rotate-secret${query({ revoke_previous: stolen.value ? '1' : null })}`;
    const { outcome } = await send<{ outcome: 'acknowledged' | 'unconfirmed' }>('POST', asked, { body: {} });
    if (outcome === 'acknowledged') notify('ok', 'The node has the new secret.');
    else notify('bad', 'The node has not confirmed the new secret. Whichever it uses next is accepted.');
    onRotated();
    onClose();
  });
  return (
    <FormDialog title="Rotate the secret" action="Rotate" refused={refused} onSubmit={submit} onClose={onClose}>
      <p>
        The node gets a new secret now and uses it from its next connect. The present one stays valid until then, so a
        lost answer locks nobody out.
      </p>
      <Tick
        label="The present secret was stolen: refuse it as soon as the node confirms the new one"
        checked={stolen.value}
        onValue={(checked) => (stolen.value = checked)}
      />
    </FormDialog>
  );
}
