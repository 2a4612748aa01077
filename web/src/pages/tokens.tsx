import { useSignal, type Signal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import { nowMs } from '../data/time.ts';
import type { ApiTokenRow } from '../data/shapes.ts';
import { AskButton } from '../parts/ask-button.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { useSubmission } from '../parts/submission.ts';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

const dayMs = 86_400_000;
/** Days; 0 is for ever. */
const lifetimes = [
  { value: '0', word: 'until it is revoked' },
  { value: '30', word: '30 days' },
  { value: '90', word: '90 days' },
  { value: '365', word: 'a year' },
];

export function TokensPage() {
  const rows = useRows<ApiTokenRow>('api-tokens', {});
  const adding = useSignal(false);
  return (
    <>
      <PageHead title="API tokens" lead="For programs that use the REST API. Each has a role of its own.">
        <Button icon="plus" kind="primary" onPress={() => (adding.value = true)}>
          New token
        </Button>
      </PageHead>
      <Listing rows={rows} empty={<NoToken />}>
        <Card>
          <SimpleTable label="API tokens" columns={columnsWith(rows)} items={rows.items.value} />
        </Card>
      </Listing>
      {adding.value && <TokenDialog rows={rows} close={() => (adding.value = false)} />}
    </>
  );
}

function NoToken() {
  return (
    <Empty title="No token yet.">
      Make one for each program that uses the API. The API is described at /api/v1/openapi.json.
    </Empty>
  );
}

function columnsWith(rows: Rows<ApiTokenRow>): readonly Column<ApiTokenRow>[] {
  const revoke = async (token: ApiTokenRow) => {
    await attempt(() => send('DELETE', `api-tokens/${token.id}`), `${token.name} is revoked.`);
    rows.refresh();
  };
  return [
    { key: 'name', title: 'Name', width: 2, cell: (token) => <bdi class="clip">{token.name}</bdi> },
    { key: 'role', title: 'Role', width: 1, cell: (token) => token.role },
    { key: 'made', title: 'Made', width: 1, hide: 2, cell: (token) => <When at={token.created_at} /> },
    {
      key: 'used',
      title: 'Last used',
      width: 1,
      hide: 2,
      cell: (token) => <When at={token.last_used_at} none="never" />,
    },
    { key: 'ends', title: 'Expires', width: 1, hide: 1, cell: (token) => <When at={token.expires_at} none="never" /> },
    {
      key: 'act',
      title: 'Action',
      width: 1,
      align: 'right',
      cell: (token) => (
        <AskButton action="Revoke" title={`Revoke ${token.name}`} onConfirm={() => revoke(token)}>
          Programs that use this token are refused at once. It cannot be taken back: make a new one instead.
        </AskButton>
      ),
    },
  ];
}

function TokenDialog({ rows, close }: { rows: Rows<ApiTokenRow>; close: () => void }) {
  const token = useSignal<string | null>(null);
  if (token.value === null) return <TokenForm token={token} rows={rows} close={close} />;
  return (
    <ShownOnce title="API token" secret={token.value} onClose={close}>
      Send it as Authorization: Bearer.
    </ShownOnce>
  );
}

interface TokenFormProps {
  readonly token: Signal<string | null>;
  readonly rows: Rows<ApiTokenRow>;
  close(): void;
}

function TokenForm({ token, rows, close }: TokenFormProps) {
  const name = useSignal('');
  const role = useSignal('viewer');
  const lasts = useSignal('0');
  const { refused, submit } = useSubmission(async () => {
    const days = Number(lasts.value);
    const expires_at = days === 0 ? null : nowMs() + days * dayMs;
    const body = { name: name.value, role: role.value, expires_at };
    token.value = (await send<{ token: string }>('POST', 'api-tokens', { body })).token;
    rows.refresh();
  });
  return (
    <FormDialog title="New API token" action="Make" refused={refused} onSubmit={submit} onClose={close}>
      <FormField label="Name" of={name} required placeholder="grafana" path="name" refused={refused} />
      <Choice
        label="Role"
        value={role.value}
        choices={['viewer', 'operator', 'admin'].map((value) => ({ value, word: value }))}
        onValue={(text) => (role.value = text)}
      />
      <Choice
        label="Valid for"
        value={lasts.value}
        choices={lifetimes}
        error={refused?.field('expires_at')}
        onValue={(text) => (lasts.value = text)}
      />
    </FormDialog>
  );
}
