import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Note } from '../parts/card.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { plural } from '../words/format.ts';

interface Drained {
  readonly moved: readonly string[];
  readonly kept: readonly { readonly tunnel_id: string; readonly reason: string }[];
}

interface DrainDialogProps {
  readonly node: NodeDetail;
  onClose(): void;
  onDrained(): void;
}

/** Moves the tunnels of a relay away, and names those that had to stay. */
export function DrainDialog({ node, onClose, onDrained }: DrainDialogProps) {
  const error = useSignal<string | null>(null);
  const drained = useSignal<Drained | null>(null);
  const drain = async () => {
    try {
      const answer = await send<Drained>('POST', `nodes/${encodeURIComponent(node.id)}/drain`, {
        body: { drain: true },
      });
      onDrained();
      notify('ok', `${plural(answer.moved.length, 'tunnel')} of ${node.name} moved to other relays.`);
      if (answer.kept.length === 0) onClose();
      else drained.value = answer;
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown.message : String(thrown);
    }
  };
  if (drained.value !== null) return <KeptDialog kept={drained.value.kept} onClose={onClose} />;
  return (
    <Dialog title={`Drain ${node.name}`} onClose={onClose}>
      <div class="dialog-body">
        {error.value !== null && <Note tone="bad">{error.value}</Note>}
        Tunnels with automatic placement move to other relays, one after the other, without a break: each edge is bound
        at the new relay before the old one is left. No new tunnel is placed here.
      </div>
      <div class="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="primary" onPress={drain}>
          Move its tunnels away
        </Button>
      </div>
    </Dialog>
  );
}

function KeptDialog({ kept, onClose }: { kept: Drained['kept']; onClose: () => void }) {
  return (
    <Dialog title={`${plural(kept.length, 'tunnel')} could not move`} onClose={onClose}>
      <div class="dialog-body">
        <p>They still run through this relay. Give each another relay on its page before you stop this one.</p>
        <ul class="plain-list">
          {kept.map(({ tunnel_id: id, reason }) => (
            <li key={id}>
              <a href={`/tunnels/${encodeURIComponent(id)}`}>tunnel {id.slice(0, 8)}</a>
              <bdi>{reason}</bdi>
            </li>
          ))}
        </ul>
      </div>
      <div class="dialog-actions">
        <Button kind="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
