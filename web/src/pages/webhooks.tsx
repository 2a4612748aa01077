import { useSignal, type Signal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import type { WebhookRow, WebhookTrigger } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { Field, Tick } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

const triggerWords: Readonly<Record<WebhookTrigger, string>> = {
  node_offline: 'Node offline',
  node_online: 'Node back',
  drift_opened: 'Drift found',
  push_failed: 'Push failed',
  ghost_cleanup: 'Removed by the manager',
  critical_event: 'Critical event',
};

const allTriggers = Object.keys(triggerWords) as WebhookTrigger[];

export function WebhooksPage() {
  const rows = useRows<WebhookRow>('webhooks', {});
  const adding = useSignal(false);
  return (
    <>
      <PageHead
        title="Webhooks"
        lead="Calls an address of yours when something happens: signed, and retried for an hour."
      >
        <Button icon="plus" kind="primary" onPress={() => (adding.value = true)}>
          New webhook
        </Button>
      </PageHead>
      {rows.items.value.length === 0 && !rows.loading.value ? (
        <Empty title="No webhook yet.">Make one to be told when a node goes.</Empty>
      ) : (
        <Card>
          <SimpleTable label="Webhooks" columns={columnsWith(rows)} items={rows.items.value} />
        </Card>
      )}
      {adding.value && <WebhookDialog rows={rows} close={() => (adding.value = false)} />}
    </>
  );
}

function columnsWith(rows: Rows<WebhookRow>): readonly Column<WebhookRow>[] {
  return [
    {
      key: 'name',
      title: 'Name',
      width: 2.5,
      cell: (hook) => (
        <span class="name-text">
          <bdi>{hook.name}</bdi>
          <small class="mono muted clip">{hook.url}</small>
        </span>
      ),
    },
    {
      key: 'when',
      title: 'Calls when',
      width: 2.5,
      hide: 2,
      cell: (hook) => <small>{hook.triggers.map((trigger) => triggerWords[trigger]).join(', ')}</small>,
    },
    {
      key: 'last',
      title: 'Last call',
      width: 1.6,
      hide: 1,
      cell: (hook) => (
        <span class="name-text">
          <When at={hook.last_delivery_at} none="never" />
          {hook.last_result !== null && <small class="muted clip">{hook.last_result}</small>}
        </span>
      ),
    },
    {
      key: 'act',
      title: 'Actions',
      width: 2,
      align: 'right',
      cell: (hook) => <WebhookActions hook={hook} rows={rows} />,
    },
  ];
}

function WebhookActions({ hook, rows }: { hook: WebhookRow; rows: Rows<WebhookRow> }) {
  const run = async (work: () => Promise<unknown>, done: string) => {
    await attempt(work, done);
    rows.refresh();
  };
  const path = `webhooks/${hook.id}`;
  return (
    <span class="row-actions">
      <Button small onPress={() => run(() => send('POST', `${path}/test`, { body: {} }), 'A test call is on its way.')}>
        Test
      </Button>
      <Button
        small
        onPress={() =>
          run(() => send('PATCH', path, { body: { enabled: !hook.enabled } }), hook.enabled ? 'Disabled.' : 'Enabled.')
        }
      >
        {hook.enabled ? 'Disable' : 'Enable'}
      </Button>
      <Button small kind="danger" onPress={() => run(() => send('DELETE', path), `${hook.name} is deleted.`)}>
        Delete
      </Button>
    </span>
  );
}

function WebhookDialog({ rows, close }: { rows: Rows<WebhookRow>; close: () => void }) {
  const secret = useSignal<string | null>(null);
  if (secret.value === null) return <WebhookForm secret={secret} rows={rows} close={close} />;
  return (
    <ShownOnce title="Signing secret" secret={secret.value} onClose={close}>
      Each call carries <code>x-adit-signature: sha256=…</code>, the HMAC of the time and the body with this secret.
    </ShownOnce>
  );
}

interface WebhookFormProps {
  readonly secret: Signal<string | null>;
  readonly rows: Rows<WebhookRow>;
  close(): void;
}

function WebhookForm({ secret, rows, close }: WebhookFormProps) {
  const name = useSignal('');
  const url = useSignal('');
  const triggers = useSignal<readonly WebhookTrigger[]>(['node_offline', 'push_failed', 'critical_event']);
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      const body = { name: name.value, url: url.value, triggers: triggers.value };
      secret.value = (await send<{ secret: string }>('POST', 'webhooks', { body })).secret;
      rows.refresh();
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : null;
    }
  };
  const refused = error.value;
  return (
    <FormDialog title="New webhook" action="Make" refused={refused} onSubmit={submit} onClose={close}>
      <Field
        label="Name"
        value={name.value}
        required
        error={refused?.field('name')}
        onValue={(text) => (name.value = text)}
      />
      <Field
        label="Address"
        value={url.value}
        required
        placeholder="https://hooks.example/adit"
        hint="A public https address. Private and loopback ones are refused."
        error={refused?.field('url')}
        onValue={(text) => (url.value = text)}
      />
      <fieldset class="ticks">
        <legend>Calls when</legend>
        {allTriggers.map((trigger) => (
          <Tick
            key={trigger}
            label={triggerWords[trigger]}
            checked={triggers.value.includes(trigger)}
            onValue={(checked) => {
              triggers.value = allTriggers.filter((one) => (one === trigger ? checked : triggers.value.includes(one)));
            }}
          />
        ))}
      </fieldset>
    </FormDialog>
  );
}
