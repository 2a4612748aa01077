import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { ApiError, send } from '../data/api.ts';
import { attempt, notify } from '../data/notices.ts';
import { goTo } from '../data/route.ts';
import { useNodeChoices } from '../data/node-choices.ts';
import { useResource } from '../data/resource.ts';
import { may } from '../data/session.ts';
import type { FlowRow } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Note } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { useSending } from '../parts/sending.ts';
import { FlowLiveCards } from './flow-live.tsx';
import { restoreAndOpen } from './restore.ts';
import { tunnelLooks } from '../words/status.ts';

const template = {
  id: 'flow-1',
  name: 'Flow 1',
  input: { type: 'srt', mode: 'listener', local_addr: '0.0.0.0:9000' },
  outputs: [],
};

interface Draft {
  readonly name: string;
  readonly node: string;
  readonly config: string;
}

/** One flow: its states and its config as JSON. Null `id`: a new one. */
export function FlowPage({ id }: { id: string | null }) {
  const resource = useResource<FlowRow>(id === null ? null : `flows/${encodeURIComponent(id)}`, { topic: 'legs' });
  const flow = resource.value.value;
  const title = id === null ? 'New flow' : (flow?.name ?? 'Flow');
  return (
    <>
      <PageHead title={title} parent={{ href: '/flows', label: 'Flows' }} lead={flow !== null && <Lead flow={flow} />}>
        {flow !== null && <FlowActions flow={flow} refresh={() => resource.refresh()} />}
      </PageHead>
      {resource.error.value !== null && <Note tone="bad">{resource.error.value.message}</Note>}
      {flow?.push_error != null && (
        <Note tone="bad">
          The node refused it: <bdi>{flow.push_error}</bdi>
        </Note>
      )}
      {flow !== null && <FlowLiveCards flow={flow} />}
      {(id === null || flow !== null) && <FlowForm flow={flow} />}
    </>
  );
}

function Lead({ flow }: { flow: FlowRow }) {
  return (
    <span class="lead-row">
      <span class="lead-pair">
        <span class="muted">Config</span> <Badge look={tunnelLooks[flow.status]} />
      </span>
      <a href={`/nodes/${encodeURIComponent(flow.node_id)}`}>
        <bdi>{flow.node_name}</bdi>
      </a>
    </span>
  );
}

function FlowActions({ flow, refresh }: { flow: FlowRow; refresh: () => void }) {
  if (!may('operator')) return null;
  const path = `flows/${encodeURIComponent(flow.id)}`;
  const remove = async () => {
    const undo = { label: 'Undo', run: () => void restoreAndOpen(path) };
    const done = await attempt(
      () => send('DELETE', path, { generation: flow.generation }),
      `${flow.name} is removed.`,
      undo,
    );
    if (done) goTo('/flows');
  };
  const retry = async () => {
    await attempt(() => send('POST', `${path}/retry`, { body: {} }), 'Pushing again.');
    refresh();
  };
  return (
    <>
      {flow.push_status === 'failed' && (
        <Button icon="sync" onPress={retry}>
          Push again
        </Button>
      )}
      <Button kind="danger" icon="trash" onPress={remove}>
        Remove
      </Button>
    </>
  );
}

function draftOf(flow: FlowRow | null): Draft {
  if (flow === null) return { name: '', node: '', config: JSON.stringify(template, null, 2) };
  return { name: flow.name, node: flow.node_id, config: JSON.stringify(flow.config, null, 2) };
}

function isSame(one: Draft, other: Draft): boolean {
  return one.name === other.name && one.node === other.node && one.config === other.config;
}

interface Editing {
  readonly draft: Signal<Draft>;
  /** The flow that the draft began as: what is saved replaces this one and no newer one. */
  readonly base: Signal<FlowRow | null>;
  /** Somebody has changed the flow while the operator was typing. */
  readonly isOvertaken: boolean;
  begin(flow: FlowRow | null): void;
}

/** A draft of the flow as it is, until the operator types: then that stays, whatever becomes of the flow meanwhile. */
function useEditing(flow: FlowRow | null): Editing {
  const base = useSignal(flow);
  const draft = useSignal(draftOf(flow));
  const begin = (from: FlowRow | null) => {
    base.value = from;
    draft.value = draftOf(from);
  };
  useEffect(() => {
    const began = draftOf(base.peek());
    // A push again makes a new generation, too: its content is what the draft began as.
    if (isSame(began, draftOf(flow))) base.value = flow;
    else if (isSame(began, draft.peek())) begin(flow);
  }, [flow?.id, flow?.generation]);
  return { draft, base, isOvertaken: (flow?.generation ?? 0) > (base.value?.generation ?? 0), begin };
}

function FlowForm({ flow }: { flow: FlowRow | null }) {
  const { draft, base, isOvertaken, begin } = useEditing(flow);
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      const written = await save(base.value, draft.value);
      begin(written);
      error.value = null;
      notify('ok', 'Saved; the flow is being pushed.');
      goTo(`/flows/${encodeURIComponent(written.id)}`);
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : invalidJson(thrown);
    }
  };
  const { busy, run } = useSending(submit);
  return (
    <form
      class="form form-page"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      {isOvertaken && (
        <Note tone="warn">
          Somebody has changed this flow meanwhile. What you have typed is still here, but cannot be saved over it.{' '}
          <Button small onPress={() => begin(flow)}>
            Take the flow as it is now
          </Button>
        </Note>
      )}
      <FlowFields draft={draft} flow={flow} error={error.value} />
      {may('operator') && (
        <div class="dialog-actions">
          <Button type="submit" kind="primary" disabled={busy.value}>
            {flow === null ? 'Make the flow' : 'Save'}
          </Button>
        </div>
      )}
    </form>
  );
}

function FlowFields({ draft, flow, error }: { draft: Signal<Draft>; flow: FlowRow | null; error: ApiError | null }) {
  const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
  const { choices, none } = useNodeChoices('edge');
  const id = useId();
  const problem = error?.field('config') ?? flow?.push_error ?? null;
  return (
    <Card>
      {error !== null && error.refusal.details === undefined && <Note tone="bad">{error.message}</Note>}
      <div class="fields">
        <Field
          label="Name"
          value={draft.value.name}
          required
          error={error?.field('name')}
          onValue={(name) => set({ name })}
        />
        {flow === null && (
          <Choice
            label="Edge"
            value={draft.value.node}
            choices={[{ value: '', word: 'Choose…' }, ...choices]}
            hint={
              none && (
                <>
                  There is no edge yet: <a href="/nodes/new">add one</a> first.
                </>
              )
            }
            error={error?.field('node_id')}
            onValue={(node) => set({ node })}
          />
        )}
      </div>
      <div class="field">
        <label for={id}>Config (JSON)</label>
        <textarea
          id={id}
          class="mono"
          rows={18}
          spellcheck={false}
          value={draft.value.config}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-hint`}
          onInput={(event) => set({ config: event.currentTarget.value })}
        />
        <p id={`${id}-hint`} class={problem === null ? 'hint' : 'hint hint-error'}>
          {problem ?? 'The flow object as the edge takes it. A masked secret stays as it is.'}
        </p>
      </div>
    </Card>
  );
}

function save(flow: FlowRow | null, draft: Draft): Promise<FlowRow> {
  const config = JSON.parse(draft.config) as unknown;
  if (flow === null) return send('POST', 'flows', { body: { name: draft.name, node_id: draft.node, config } });
  return send('PATCH', `flows/${encodeURIComponent(flow.id)}`, {
    body: { name: draft.name, config },
    generation: flow.generation,
  });
}

function invalidJson(thrown: unknown): ApiError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError(0, { error: message, error_code: 'invalid_json', details: [{ path: 'config', message }] });
}
