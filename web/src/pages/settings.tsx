import type { Page, SettingRow } from '../data/shapes.ts';
import { useResource } from '../data/resource.ts';
import { Card, Note } from '../parts/card.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { valueText } from '../words/format.ts';

type Row = SettingRow & { readonly id: string };

const columns: readonly Column<Row>[] = [
  {
    key: 'key',
    title: 'Setting',
    width: 3,
    cell: (setting) => (
      <span class="name-text prose">
        <code>{setting.key}</code>
        <small class="muted">{setting.description}</small>
      </span>
    ),
  },
  {
    key: 'value',
    title: 'Value',
    width: 2,
    cell: (setting) => (
      <span class="prose">
        <code>{valueText(setting.value)}</code>
      </span>
    ),
  },
  {
    key: 'default',
    title: 'Default',
    width: 1.5,
    hide: 2,
    cell: (setting) => <span class="mono muted">{valueText(setting.default)}</span>,
  },
  { key: 'source', title: 'From', width: 1, hide: 3, cell: (setting) => setting.source },
];

export function SettingsPage() {
  const settings = useResource<Page<SettingRow>>('settings?limit=500');
  const rows = (settings.value.value?.items ?? []).map((setting) => ({ ...setting, id: setting.key }));
  return (
    <>
      <PageHead title="Settings" lead="How this manager runs. Values come from manager.json and the environment." />
      {settings.error.value !== null && <Note tone="bad">{settings.error.value.message}</Note>}
      <Card>
        <SimpleTable label="Settings" columns={columns} items={rows} />
      </Card>
    </>
  );
}
