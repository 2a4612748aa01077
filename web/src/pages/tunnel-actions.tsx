import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { goTo } from '../data/route.ts';
import { may } from '../data/session.ts';
import type { TunnelDetail } from '../data/shapes.ts';
import { Button, LinkButton } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { restoreAndOpen } from './restore.ts';

interface TunnelActionsProps {
  readonly tunnel: TunnelDetail;
  readonly path: string;
  refresh(): void;
}

export function TunnelActions({ tunnel, path, refresh }: TunnelActionsProps) {
  const asking = useSignal<'keys' | 'remove' | null>(null);
  const run = async (action: string, done: string) => {
    await attempt(() => send('POST', `${path}/${action}`, { body: {} }), done);
    refresh();
  };
  if (!may('operator')) return null;
  if (tunnel.removed_at !== null) {
    return (
      <Button kind="primary" icon="undo" onPress={() => run('restore', 'Restored.')}>
        Restore
      </Button>
    );
  }
  const paused = tunnel.paused_at !== null;
  return (
    <>
      {tunnel.status === 'failed' && (
        <Button kind="primary" icon="sync" onPress={() => run('retry', 'Pushing again.')}>
          Push again
        </Button>
      )}
      <LinkButton href={`/tunnels/${encodeURIComponent(tunnel.id)}/edit`}>Edit</LinkButton>
      <Button
        icon={paused ? 'play' : 'pause'}
        onPress={() => run(paused ? 'resume' : 'pause', paused ? 'Resumed.' : 'Paused.')}
      >
        {paused ? 'Resume' : 'Pause'}
      </Button>
      {may('admin') && (
        <Button icon="key" onPress={() => (asking.value = 'keys')}>
          {tunnel.keys_unknown_at === null ? 'Rotate keys' : 'Regenerate keys'}
        </Button>
      )}
      <Button kind="danger" icon="trash" onPress={() => (asking.value = 'remove')}>
        Remove
      </Button>
      <Asking tunnel={tunnel} path={path} asking={asking.value} run={run} close={() => (asking.value = null)} />
    </>
  );
}

interface AskingProps {
  readonly tunnel: TunnelDetail;
  readonly path: string;
  readonly asking: 'keys' | 'remove' | null;
  run(action: string, done: string): Promise<void>;
  close(): void;
}

function Asking({ tunnel, path, asking, run, close }: AskingProps) {
  if (asking === 'keys') {
    return (
      <Confirm
        title={`New keys for ${tunnel.name}`}
        action="Make new keys"
        onConfirm={() => run('rotate-keys', 'New keys are on their way: relays first, then both edges.')}
        onClose={close}
      >
        Both edges and all relays get a new bind secret and a new encryption key, relays first. Traffic pauses for the
        moment in which the edges bind anew.
      </Confirm>
    );
  }
  if (asking !== 'remove') return null;
  const remove = async () => {
    const done = await attempt(
      () => send('DELETE', path, { generation: tunnel.generation }),
      `${tunnel.name} is removed.`,
      {
        label: 'Undo',
        run: () => void restoreAndOpen(path),
      },
    );
    if (done) goTo('/tunnels');
  };
  return (
    <Confirm title={`Remove ${tunnel.name}`} action="Remove" danger onConfirm={remove} onClose={close}>
      Its legs are taken from both edges and all relays, at once or when they are back. For 30 days you can restore it
      under Recently removed.
    </Confirm>
  );
}
