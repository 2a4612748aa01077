import type { JSX } from 'preact';
import { route } from '../data/route.ts';
import { Empty } from '../parts/card.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { AddNodePage } from './add-node.tsx';
import { AuditPage } from './audit.tsx';
import { DriftPage } from './drift.tsx';
import { EventsPage } from './events.tsx';
import { FlowPage } from './flow.tsx';
import { FlowsPage } from './flows.tsx';
import { InstancesPage } from './instances.tsx';
import { NodePage } from './node.tsx';
import { NodesPage } from './nodes.tsx';
import { OverviewPage } from './overview.tsx';
import { RemovedPage } from './removed.tsx';
import { SettingsPage } from './settings.tsx';
import { TokensPage } from './tokens.tsx';
import { TunnelFormPage } from './tunnel-form.tsx';
import { TunnelPage } from './tunnel.tsx';
import { TunnelsPage } from './tunnels.tsx';
import { UsersPage } from './users.tsx';
import { WebhooksPage } from './webhooks.tsx';

const lists: Readonly<Record<string, () => JSX.Element>> = {
  '': OverviewPage,
  nodes: NodesPage,
  tunnels: TunnelsPage,
  flows: FlowsPage,
  drift: DriftPage,
  events: EventsPage,
  removed: RemovedPage,
  audit: AuditPage,
  users: UsersPage,
  tokens: TokensPage,
  webhooks: WebhooksPage,
  settings: SettingsPage,
  instances: InstancesPage,
};

const details: Readonly<Record<string, (props: { readonly id: string }) => JSX.Element>> = {
  nodes: NodePage,
  tunnels: TunnelPage,
  flows: FlowPage,
};

const forms: Readonly<Record<string, () => JSX.Element>> = {
  'nodes/new': AddNodePage,
  'tunnels/new': () => <TunnelFormPage id={null} />,
  'flows/new': () => <FlowPage id={null} />,
};

/** The page that the address names. */
export function CurrentPage() {
  const [first = '', second, third] = route.value.parts;
  if (second === undefined) return shown(lists[first]);
  const form = forms[`${first}/${second}`];
  if (form !== undefined) return shown(form);
  if (first === 'tunnels' && third === 'edit') return <TunnelFormPage key={second} id={second} />;
  const Detail = details[first];
  return Detail === undefined || third !== undefined ? <NoPage /> : <Detail key={second} id={second} />;
}

function shown(Page: (() => JSX.Element) | undefined): JSX.Element {
  return Page === undefined ? <NoPage /> : <Page />;
}

function NoPage() {
  return (
    <>
      <PageHead title="No such page" />
      <Empty title="There is nothing at this address.">
        <a href="/">Back to the overview</a>
      </Empty>
    </>
  );
}
