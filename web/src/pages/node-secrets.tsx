import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { may } from '../data/session.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { CodeBlock } from '../parts/code.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { When } from '../parts/when.tsx';

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
  const rotate = async () => {
    await attempt(() => send('POST', `${path}/rotate-secret`, { body: {} }), 'The node has a new secret.');
    refresh();
  };
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
        <Empty title="The node has not registered yet." />
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
      {asking.value && (
        <Confirm title="Rotate the secret" action="Rotate" onConfirm={rotate} onClose={() => (asking.value = false)}>
          The node gets a new secret now and uses it from its next connect. The present one stays valid until then, so a
          lost answer locks nobody out.
        </Confirm>
      )}
      {token.value !== null && (
        <Dialog title="Registration token" onClose={() => (token.value = null)}>
          <p>Shown once, valid for 24 hours. Put it into the node&apos;s config as manager.registration_token.</p>
          <CodeBlock label="Registration token" text={token.value} />
          <div class="dialog-actions">
            <Button kind="primary" onPress={() => (token.value = null)}>
              Done
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}
