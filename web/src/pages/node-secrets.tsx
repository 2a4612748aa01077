import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { may } from '../data/session.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { When } from '../parts/when.tsx';
import { RotateSecretDialog } from './rotate-secret-dialog.tsx';

const words = {
  issued: 'Sent, not confirmed by the node',
  acknowledged: 'The node has it, and uses it from its next connect',
  in_use: 'In use',
} as const;

interface NodeSecretsProps {
  readonly node: NodeDetail;
  readonly path: string;
  refresh(): void;
}

/** Ages and states of a node's secrets. The secrets themselves are nowhere. */
export function NodeSecrets({ node, path, refresh }: NodeSecretsProps) {
  const asking = useSignal(false);
  const token = useSignal<string | null>(null);
  const newToken = async () => {
    await attempt(async () => {
      token.value = (
        await send<{ registration_token: string }>('POST', `${path}/token`, { body: {} })
      ).registration_token;
    }, 'A new registration token was made.');
    refresh();
  };
  return (
    <Card title="Secret">
      {node.secrets.length === 0 ? (
        <Empty title="The node has not registered yet.">
          It does so with a registration token in its config file. Make a new one if that of the start is lost.
        </Empty>
      ) : (
        <ul class="plain-list">
          {node.secrets.map((secret) => (
            <li key={secret.created_at}>
              <span>{words[secret.state]}</span>
              <span class="muted">
                made <When at={secret.created_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {may('admin') && (
        <div class="card-actions">
          <Button icon="key" disabled={node.state !== 'online'} onPress={() => (asking.value = true)}>
            Rotate secret
          </Button>
          <Button onPress={newToken}>New registration token</Button>
        </div>
      )}
      {asking.value && <RotateSecretDialog path={path} onClose={() => (asking.value = false)} onRotated={refresh} />}
      {token.value !== null && (
        <ShownOnce title="Registration token" secret={token.value} onClose={() => (token.value = null)}>
          Valid for 24 hours. Put it into the node&apos;s config as manager.registration_token.
        </ShownOnce>
      )}
    </Card>
  );
}
