import { useSignal } from '@preact/signals';
import { ApiError, get } from '../data/api.ts';
import { may } from '../data/session.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Card, Note } from '../parts/card.tsx';
import { JsonView } from '../parts/code.tsx';

interface ConfigAnswer {
  /** What the node runs, secrets left out. */
  readonly config: unknown;
  /** What the manager wants of it, in the same form. */
  readonly wanted: unknown;
}

/** The node's own config beside what the manager wants of it, read from the node when asked for. */
export function NodeConfig({ node, path }: { node: NodeDetail; path: string }) {
  const answer = useSignal<ConfigAnswer | null>(null);
  const error = useSignal<string | null>(null);
  if (!may('operator')) return null;
  const read = async () => {
    try {
      answer.value = await get<ConfigAnswer>(`${path}/config`);
      error.value = null;
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown.message : String(thrown);
    }
  };
  return (
    <Card
      title="Configuration"
      aside={
        <Button small icon="download" disabled={node.state !== 'online'} onPress={read}>
          Read from the node
        </Button>
      }
    >
      {error.value !== null && <Note tone="bad">{error.value}</Note>}
      {answer.value === null ? (
        <p class="muted">Read it to see what the node runs beside what the manager wants. Secrets are left out.</p>
      ) : (
        <div class="columns">
          <div>
            <h3>On the node</h3>
            <JsonView label="Config on the node" value={answer.value.config} />
          </div>
          <div>
            <h3>The manager wants</h3>
            <JsonView label="Config that the manager wants" value={answer.value.wanted} />
          </div>
        </div>
      )}
    </Card>
  );
}
