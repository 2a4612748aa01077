import { useSignal, type Signal } from '@preact/signals';
import { send } from '../data/api.ts';
import { useResource } from '../data/resource.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { LinkButton } from '../parts/button.tsx';
import { Card } from '../parts/card.tsx';
import { CodeBlock } from '../parts/code.tsx';
import { Choice } from '../parts/field.tsx';
import { FormField } from '../parts/form-field.tsx';
import { Form, noteOf } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { useSubmission } from '../parts/submission.ts';

interface AddedNode extends NodeDetail {
  readonly registration_token: string;
  /** The `manager` object for the node's config file. */
  readonly manager_config: Readonly<Record<string, unknown>>;
}

/** Relays ignore longer ones. */
const mostEdgeIdBytes = 64;

export function AddNodePage() {
  const added = useSignal<AddedNode | null>(null);
  return (
    <>
      <PageHead title="Add node" parent={{ href: '/nodes', label: 'Nodes' }} />
      {added.value === null ? <NodeForm added={added} /> : <Waiting added={added.value} />}
    </>
  );
}

function NodeForm({ added }: { added: Signal<AddedNode | null> }) {
  const name = useSignal('');
  const kind = useSignal('edge');
  const description = useSignal('');
  const region = useSignal('');
  const address = useSignal('');
  const { refused, submit } = useSubmission(async () => {
    added.value = await send<AddedNode>('POST', 'nodes', {
      body: {
        name: name.value,
        kind: kind.value,
        description: description.value,
        region: region.value === '' ? null : region.value,
        ...(kind.value === 'relay' && { public_addr: address.value }),
      },
    });
  });
  return (
    <Card class="narrow">
      <Form
        action="Make a registration token"
        note={noteOf(refused)}
        ways={<LinkButton href="/nodes">Cancel</LinkButton>}
        onSubmit={submit}
      >
        <FormField label="Name" of={name} required placeholder="studio-edge-1" path="name" refused={refused} />
        <Choice
          label="Kind"
          value={kind.value}
          choices={[
            { value: 'edge', word: 'Edge: opens tunnels for devices beside it' },
            { value: 'relay', word: 'Relay: pairs edges, has a public address' },
            { value: 'observer', word: 'Observer: watches the processes of its host' },
          ]}
          onValue={(text) => (kind.value = text)}
        />
        {kind.value === 'relay' && (
          <FormField
            label="Public address"
            of={address}
            required
            placeholder="relay.example:4433"
            hint="Host and UDP port that edges dial."
            path="public_addr"
            refused={refused}
          />
        )}
        <FormField
          label="Region"
          of={region}
          placeholder="eu-west"
          hint="A label. Tunnels with automatic placement take relays by it."
          path="region"
          refused={refused}
        />
        <FormField label="Description" of={description} path="description" refused={refused} />
      </Form>
    </Card>
  );
}

function Waiting({ added: node }: { added: AddedNode }) {
  const config = JSON.stringify(configOf(node), null, 2);
  const program = node.kind === 'other' ? 'edge' : node.kind;
  const command = `bin/adit ${program} --config ${program}.json`;
  return (
    <div class="columns">
      <Card title="1. Save this as the node's config file">
        <CodeBlock label="Config" text={config} />
        <p class="muted">
          Where the node has a config file already, add the key manager to it. The token is shown once and works for 24
          hours. The node replaces it by its own secret when it registers.
        </p>
      </Card>
      <Card title="2. Start the node">
        <CodeBlock label="Command" text={command} />
        <Progress id={node.id} />
      </Card>
    </div>
  );
}

/** A whole config file; a relay listens on the port of its public address. */
function configOf({ kind, name, public_addr: address, manager_config: manager }: AddedNode): object {
  if (kind === 'observer') return { manager };
  const isEdgeId = new TextEncoder().encode(name).length <= mostEdgeIdBytes;
  if (kind !== 'relay') return { ...(isEdgeId && { edge_id: name }), manager };
  const port = address?.split(':').at(-1) ?? '';
  return { quic_addrs: [`0.0.0.0:${port}`], public_quic_addr: address, manager };
}

function Progress({ id }: { id: string }) {
  const node = useResource<NodeDetail>(`nodes/${encodeURIComponent(id)}`, { topic: 'nodes', everyMs: 2_000 });
  const current = node.value.value;
  const online = current?.state === 'online';
  const compared = current?.last_compared_at != null;
  const drift = current?.drift_open ?? 0;
  const inSync = compared && drift === 0;
  return (
    <div aria-live="polite">
      <ol class="steps">
        <Step done={online} word={online ? 'The node is connected' : 'Waiting for the node…'} />
        <Step done={compared} word={compared ? 'Its config was compared' : 'Compare its config'} />
        <Step
          done={inSync}
          word={drift > 0 ? `${drift} differences to decide` : inSync ? 'In sync' : 'Bring it in sync'}
        />
      </ol>
      {online && (
        <LinkButton href={`/nodes/${encodeURIComponent(id)}`} kind="primary">
          Open the node
        </LinkButton>
      )}
    </div>
  );
}

function Step({ done, word }: { done: boolean; word: string }) {
  return (
    <li class={done ? 'step step-done' : 'step'}>
      <Icon name={done ? 'check' : 'clock'} /> {word}
    </li>
  );
}
