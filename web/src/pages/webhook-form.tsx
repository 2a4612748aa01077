import { useSignal, type Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { Rows } from '../data/rows.ts';
import type { WebhookRow, WebhookTrigger } from '../data/shapes.ts';
import { Tick } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { useSubmission } from '../parts/submission.ts';

export const triggerWords: Readonly<Record<WebhookTrigger, string>> = {
  node_offline: 'Node offline',
  node_online: 'Node back',
  drift_opened: 'Drift found',
  push_failed: 'Push failed',
  ghost_cleanup: 'Removed by the manager',
  critical_event: 'Critical event',
};

const allTriggers = Object.keys(triggerWords) as WebhookTrigger[];

/** Makes a webhook and shows its secret, this once. */
export function WebhookDialog({ rows, close }: { rows: Rows<WebhookRow>; close: () => void }) {
  const secret = useSignal<string | null>(null);
  if (secret.value === null) {
    const made = (value: string | null) => {
      secret.value = value;
      rows.refresh();
    };
    return <WebhookForm hook={null} onSaved={made} close={close} />;
  }
  return (
    <ShownOnce title="Signing secret" secret={secret.value} onClose={close}>
      Each call carries <code>x-adit-signature: sha256=…</code>, the HMAC of the time and the body with this secret.
    </ShownOnce>
  );
}

interface WebhookFormProps {
  /** Null: a new one. */
  readonly hook: WebhookRow | null;
  /** `secret` is that of a new one. */
  onSaved(secret: string | null): void;
  close(): void;
}

const usualTriggers: readonly WebhookTrigger[] = ['node_offline', 'push_failed', 'critical_event'];

export function WebhookForm({ hook: current, onSaved, close }: WebhookFormProps) {
  const hook = useRef(current).current;
  const name = useSignal(hook?.name ?? '');
  const url = useSignal(hook?.url ?? '');
  const triggers = useSignal<readonly WebhookTrigger[]>(hook?.triggers ?? usualTriggers);
  const { refused, submit } = useSubmission(async () => {
    const body = { name: name.value, url: url.value, triggers: triggers.value };
    if (hook === null) {
      onSaved((await send<{ secret: string }>('POST', 'webhooks', { body })).secret);
      return;
    }
    await send('PATCH', `webhooks/${hook.id}`, { body: changesOf(body, hook) });
    notify('ok', 'Saved.');
    onSaved(null);
    close();
  });
  const [title, action] = hook === null ? ['New webhook', 'Make'] : [`Edit ${hook.name}`, 'Save'];
  return (
    <FormDialog title={title} action={action} refused={refused} onSubmit={submit} onClose={close}>
      <FormField label="Name" of={name} required path="name" refused={refused} />
      <FormField
        label="Address"
        of={url}
        required
        placeholder="https://hooks.example/adit"
        hint="A public https address. Private and loopback ones are refused."
        path="url"
        refused={refused}
      />
      <Triggers triggers={triggers} isRefused={refused?.field('triggers') != null} />
    </FormDialog>
  );
}

interface Fields extends Pick<WebhookRow, 'name' | 'url'> {
  readonly triggers: readonly WebhookTrigger[];
}

/** Only what was changed here: somebody else may have changed the rest meanwhile. */
function changesOf(fields: Fields, before: Fields): Partial<Fields> {
  const text = (value: unknown) => JSON.stringify(Array.isArray(value) ? value.toSorted() : value);
  const changed = (Object.keys(fields) as (keyof Fields)[]).filter((key) => text(fields[key]) !== text(before[key]));
  return Object.fromEntries(changed.map((key) => [key, fields[key]]));
}

function Triggers({ triggers, isRefused }: { triggers: Signal<readonly WebhookTrigger[]>; isRefused: boolean }) {
  const set = (trigger: WebhookTrigger, checked: boolean) => {
    triggers.value = allTriggers.filter((one) => (one === trigger ? checked : triggers.value.includes(one)));
  };
  return (
    <fieldset class="ticks">
      <legend>Calls when</legend>
      {isRefused && (
        <p class="hint hint-error" role="alert">
          Choose at least one.
        </p>
      )}
      {allTriggers.map((trigger) => (
        <Tick
          key={trigger}
          label={triggerWords[trigger]}
          checked={triggers.value.includes(trigger)}
          onValue={(checked) => set(trigger, checked)}
        />
      ))}
    </fieldset>
  );
}
