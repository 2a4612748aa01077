import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import type { WebhookRow } from '../data/shapes.ts';
import { AskButton } from '../parts/ask-button.tsx';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { plural } from '../words/format.ts';
import type { Look } from '../words/status.ts';
import { triggerWords, WebhookDialog, WebhookForm } from './webhook-form.tsx';

export function WebhooksPage() {
  const rows = useRows<WebhookRow>('webhooks', {}, { everyMs: 3_000 });
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
      <Listing rows={rows} empty={<Empty title="No webhook yet.">Make one to be called when a node goes.</Empty>}>
        <Card>
          <SimpleTable label="Webhooks" columns={columnsWith(rows)} items={rows.items.value} />
        </Card>
      </Listing>
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
      key: 'state',
      title: 'State',
      width: 2.4,
      cell: (hook) => (
        <span class="stack prose">
          <Badge look={webhookLook(hook)} />
          <small class={isFailing(hook) ? 'error-text' : 'muted'}>{lastCall(hook)}</small>
        </span>
      ),
    },
    {
      key: 'act',
      title: 'Actions',
      width: 2.8,
      align: 'right',
      cell: (hook) => <WebhookActions hook={hook} rows={rows} />,
    },
  ];
}

function isFailing({ last_result: result }: WebhookRow): boolean {
  return result !== null && result !== 'delivered';
}

function webhookLook(hook: WebhookRow): Look {
  if (!hook.enabled) return { tone: 'idle', icon: 'pause', word: 'Disabled' };
  if (hook.last_result === null) return { tone: 'idle', icon: 'dot', word: 'Not called yet' };
  return isFailing(hook)
    ? { tone: 'bad', icon: 'cross', word: 'Failing' }
    : { tone: 'ok', icon: 'check', word: 'Delivered' };
}

/** When it was last called, and what came of it. */
function lastCall(hook: WebhookRow) {
  if (hook.last_result === null) return hook.waiting > 0 ? 'a call is under way' : 'press Test to try it';
  return (
    <>
      {isFailing(hook) && <bdi>{hook.last_result}; </bdi>}
      <When at={hook.last_delivery_at} />
      {hook.waiting > 0 && `, ${plural(hook.waiting, 'call')} to be made again`}
    </>
  );
}

function WebhookActions({ hook, rows }: { hook: WebhookRow; rows: Rows<WebhookRow> }) {
  const run = async (work: () => Promise<unknown>, done: string) => {
    await attempt(work, done);
    rows.refresh();
  };
  const path = `webhooks/${hook.id}`;
  const editing = useSignal(false);
  return (
    <span class="row-actions">
      <Button small onPress={() => (editing.value = true)}>
        Edit
      </Button>
      {editing.value && (
        <WebhookForm hook={hook} onSaved={() => rows.refresh()} close={() => (editing.value = false)} />
      )}
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
      <AskButton
        action="Delete"
        title={`Delete ${hook.name}`}
        onConfirm={() => run(() => send('DELETE', path), `${hook.name} is deleted.`)}
      >
        Its address is called no more, and calls that wait are dropped.
      </AskButton>
    </span>
  );
}
