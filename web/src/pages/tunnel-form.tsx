import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { send, type ApiError } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import { goTo } from '../data/route.ts';
import { useNodeChoices } from '../data/node-choices.ts';
import { useResource } from '../data/resource.ts';
import type { TunnelDetail, TunnelWritten } from '../data/shapes.ts';
import { Button, LinkButton } from '../parts/button.tsx';
import { Card, Note } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { useSending } from '../parts/sending.ts';
import { useSubmission } from '../parts/submission.ts';

interface Draft {
  readonly name: string;
  readonly protocol: string;
  readonly sourceNode: string;
  readonly listen: string;
  readonly destinationNode: string;
  readonly forward: string;
  /** Node ids; empty: chosen automatically. */
  readonly relay: string;
  readonly secondRelay: string;
  readonly region: string;
  readonly description: string;
}

const emptyDraft: Draft = {
  name: '',
  protocol: 'udp',
  sourceNode: '',
  listen: '',
  destinationNode: '',
  forward: '',
  relay: '',
  secondRelay: '',
  region: '',
  description: '',
};

function draftOf(tunnel: TunnelDetail): Draft {
  const named = tunnel.placement === 'fixed';
  return {
    name: tunnel.name,
    protocol: tunnel.protocol,
    sourceNode: tunnel.source.node_id,
    listen: tunnel.source.listen,
    destinationNode: tunnel.destination.node_id,
    forward: tunnel.destination.forward,
    relay: named ? (tunnel.relays[0]?.node_id ?? '') : '',
    secondRelay: named ? (tunnel.relays[1]?.node_id ?? '') : '',
    region: tunnel.region ?? '',
    description: tunnel.description,
  };
}

function bodyOf(draft: Draft): object {
  const relays = [draft.relay, draft.secondRelay].filter((id) => id !== '').map((id) => ({ node_id: id }));
  return {
    name: draft.name,
    description: draft.description,
    protocol: draft.protocol,
    source: { node_id: draft.sourceNode, listen: draft.listen },
    destination: { node_id: draft.destinationNode, forward: draft.forward },
    relays: relays.length === 0 ? 'auto' : relays,
    region: draft.region === '' ? null : draft.region,
  };
}

/** Makes a tunnel, or changes one. */
export function TunnelFormPage({ id }: { id: string | null }) {
  const draft = useSignal<Draft>(emptyDraft);
  const current = useResource<TunnelDetail>(id === null ? null : `tunnels/${encodeURIComponent(id)}`);
  const read = current.value.value;
  useEffect(() => {
    if (read !== null) draft.value = draftOf(read);
  }, [read]);
  return (
    <>
      <PageHead
        title={id === null ? 'New tunnel' : `Edit ${read?.name ?? 'tunnel'}`}
        parent={{ href: '/tunnels', label: 'Tunnels' }}
      />
      {id !== null && read === null ? <p class="muted">Reading…</p> : <TunnelForm draft={draft} tunnel={read} />}
    </>
  );
}

function TunnelForm({ draft, tunnel }: { draft: Signal<Draft>; tunnel: TunnelDetail | null }) {
  const back = tunnel === null ? '/tunnels' : `/tunnels/${encodeURIComponent(tunnel.id)}`;
  const { refused, submit } = useSubmission(async () => {
    const written = await save(tunnel, draft.value);
    for (const warning of written.warnings) notify('bad', warning);
    notify(
      'ok',
      tunnel === null ? 'The tunnel is made; its parts are being pushed.' : 'Saved; changes are being pushed.',
    );
    goTo(`/tunnels/${encodeURIComponent(written.id)}`);
  });
  const { busy, run } = useSending(submit);
  return (
    <form
      class="form form-page"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      {refused !== null && refused.refusal.details === undefined && <Note tone="bad">{refused.message}</Note>}
      <BasicsCard draft={draft} refused={refused} />
      <EndsCards draft={draft} refused={refused} />
      <RelaysCard draft={draft} refused={refused} />
      <div class="dialog-actions">
        <LinkButton href={back}>Cancel</LinkButton>
        <Button type="submit" kind="primary" disabled={busy.value}>
          {tunnel === null ? 'Make the tunnel' : 'Save'}
        </Button>
      </div>
    </form>
  );
}

function save(tunnel: TunnelDetail | null, draft: Draft): Promise<TunnelWritten> {
  if (tunnel === null) return send('POST', 'tunnels', { body: bodyOf(draft) });
  return send('PATCH', `tunnels/${encodeURIComponent(tunnel.id)}`, {
    body: bodyOf(draft),
    generation: tunnel.generation,
  });
}

interface PartProps {
  readonly draft: Signal<Draft>;
  readonly refused: ApiError | null;
}

function BasicsCard({ draft, refused }: PartProps) {
  const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
  return (
    <Card title="Tunnel">
      <div class="fields">
        <Field
          label="Name"
          value={draft.value.name}
          required
          placeholder="camera-1"
          error={refused?.field('name')}
          onValue={(name) => set({ name })}
        />
        <Choice
          label="Protocol"
          value={draft.value.protocol}
          choices={[
            { value: 'udp', word: 'UDP: media, datagrams' },
            { value: 'tcp', word: 'TCP: streams' },
          ]}
          error={refused?.field('protocol')}
          onValue={(protocol) => set({ protocol })}
        />
        <Field
          label="Description"
          value={draft.value.description}
          error={refused?.field('description')}
          onValue={(description) => set({ description })}
        />
      </div>
    </Card>
  );
}

function EndsCards({ draft, refused }: PartProps) {
  const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
  const { choices, none } = useNodeChoices('edge');
  const edges = [unchosen, ...choices];
  const hint = none && <NoNode kind="edge" />;
  return (
    <div class="columns">
      <Card title="Source: where data enters">
        <Choice
          label="Source edge"
          value={draft.value.sourceNode}
          choices={edges}
          hint={hint}
          error={refused?.field('source.node_id')}
          onValue={(sourceNode) => set({ sourceNode })}
        />
        <Field
          label="Listens on"
          value={draft.value.listen}
          required
          placeholder="0.0.0.0:5000"
          hint="The local address that the device sends to, or the word flow: then a media flow of this edge does."
          error={refused?.field('source.listen')}
          onValue={(listen) => set({ listen })}
        />
      </Card>
      <Card title="Destination: where data comes out">
        <Choice
          label="Destination edge"
          value={draft.value.destinationNode}
          choices={edges}
          hint={hint}
          error={refused?.field('destination.node_id')}
          onValue={(destinationNode) => set({ destinationNode })}
        />
        <Field
          label="Forwards to"
          value={draft.value.forward}
          required
          placeholder="192.0.2.10:5001"
          hint="The address that receives the data, or the word flow: then a media flow of this edge does."
          error={refused?.field('destination.forward')}
          onValue={(forward) => set({ forward })}
        />
      </Card>
    </div>
  );
}

function RelaysCard({ draft, refused }: PartProps) {
  const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
  const { choices: relays, none } = useNodeChoices('relay');
  const automatic = { value: '', word: 'Automatic: by region, free capacity and health' };
  return (
    <Card title="Relays">
      <div class="fields">
        <Choice
          label="Relay"
          value={draft.value.relay}
          choices={[automatic, ...relays]}
          hint={none && <NoNode kind="relay" />}
          error={refused?.field('relays')}
          onValue={(relay) => set({ relay, ...(relay === '' && { secondRelay: '' }) })}
        />
        {draft.value.relay === '' ? (
          <Field
            label="Region"
            value={draft.value.region}
            placeholder="any"
            hint="Relays with this label are preferred."
            error={refused?.field('region')}
            onValue={(region) => set({ region })}
          />
        ) : (
          <Choice
            label="Second relay"
            value={draft.value.secondRelay}
            choices={[{ value: '', word: 'None' }, ...relays.filter(({ value }) => value !== draft.value.relay)]}
            hint="Edges are bound at both at once; when one goes, traffic moves to the other."
            onValue={(secondRelay) => set({ secondRelay })}
          />
        )}
      </div>
    </Card>
  );
}

const unchosen = { value: '', word: 'Choose…' };

/** What to do where a form has no node to offer. */
function NoNode({ kind }: { kind: 'edge' | 'relay' }) {
  return (
    <>
      There is no {kind} yet: <a href="/nodes/new">add one</a> first.
    </>
  );
}
