import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { goTo } from '../data/route.ts';
import { may } from '../data/session.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { DrainDialog } from './drain-dialog.tsx';
import { NodeEditDialog } from './node-edit.tsx';

interface NodeActionsProps {
  readonly node: NodeDetail;
  refresh(): void;
}

type Open = 'edit' | 'drain' | 'disable' | 'delete';

export function NodeActions({ node, refresh }: NodeActionsProps) {
  const open = useSignal<Open | null>(null);
  const path = `nodes/${encodeURIComponent(node.id)}`;
  const run = async (action: string, done: string, body: unknown = {}) => {
    await attempt(() => send('POST', `${path}/${action}`, { body }), done);
    refresh();
  };
  return (
    <>
      {may('operator') && (
        <Button
          icon="sync"
          disabled={node.state !== 'online'}
          onPress={() => run('reconcile', 'Compared with the node.')}
        >
          Compare now
        </Button>
      )}
      {may('admin') && <Button onPress={() => (open.value = 'edit')}>Edit</Button>}
      {may('operator') && node.kind === 'relay' && (
        <DrainButton
          node={node}
          drain={() => (open.value = 'drain')}
          refill={() => run('drain', 'In use again.', { drain: false })}
        />
      )}
      {may('admin') && (
        <>
          <Button
            icon={node.disabled_at === null ? 'pause' : 'play'}
            onPress={() =>
              node.disabled_at === null ? (open.value = 'disable') : run('disable', 'Enabled.', { disabled: false })
            }
          >
            {node.disabled_at === null ? 'Disable' : 'Enable'}
          </Button>
          <Button kind="danger" icon="trash" onPress={() => (open.value = 'delete')}>
            Delete
          </Button>
        </>
      )}
      <OpenDialog node={node} open={open.value} run={run} close={() => (open.value = null)} refresh={refresh} />
    </>
  );
}

function DrainButton({ node, drain, refill }: { node: NodeDetail; drain: () => void; refill: () => unknown }) {
  return node.draining_at === null ? (
    <Button icon="download" onPress={drain}>
      Drain
    </Button>
  ) : (
    <Button icon="upload" onPress={refill}>
      Stop draining
    </Button>
  );
}

interface OpenDialogProps {
  readonly node: NodeDetail;
  readonly open: Open | null;
  run(action: string, done: string, body?: unknown): Promise<void>;
  close(): void;
  refresh(): void;
}

function OpenDialog({ node, open, run, close, refresh }: OpenDialogProps) {
  if (open === 'edit') return <NodeEditDialog node={node} onClose={close} onSaved={refresh} />;
  if (open === 'drain') return <DrainDialog node={node} onClose={close} onDrained={refresh} />;
  if (open === 'disable') {
    return (
      <Confirm
        title={`Disable ${node.name}`}
        action="Disable"
        danger
        onConfirm={() => run('disable', 'Disabled.', { disabled: true })}
        onClose={close}
      >
        Its link is closed and it cannot connect again until you enable it. Tunnels that it runs go on running.
      </Confirm>
    );
  }
  return open === 'delete' ? <DeleteDialog node={node} close={close} /> : null;
}

function DeleteDialog({ node, close }: { node: NodeDetail; close: () => void }) {
  const legs = node.legs.pushed + node.legs.pending + node.legs.pushing + node.legs.failed;
  const path = `nodes/${encodeURIComponent(node.id)}${legs > 0 ? '?force=true' : ''}`;
  const remove = async () => {
    const done = await attempt(() => send('DELETE', path, { generation: node.generation }), `${node.name} is deleted.`);
    if (done) goTo('/nodes');
  };
  return (
    <Confirm title={`Delete ${node.name}`} action="Delete" danger onConfirm={remove} onClose={close}>
      {legs > 0
        ? `${legs} legs are on this node: their tunnels and flows are removed with it. ` +
          'It must register anew to come back.'
        : 'Nothing uses this node. It must register anew to come back.'}
    </Confirm>
  );
}
