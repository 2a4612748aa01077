import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { linkState } from '../data/live.ts';
import { whileLeaving } from '../data/leaving.ts';
import { attempt } from '../data/notices.ts';
import { me, signedOut } from '../data/session.ts';
import { toggleTheme } from '../data/theme.ts';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { PasswordDialog } from './password-dialog.tsx';

export function TopBar({ navOpen, onMenu }: { navOpen: boolean; onMenu: () => void }) {
  return (
    <header class="top-bar">
      <button type="button" class="icon-button only-narrow" aria-label="Pages" aria-expanded={navOpen} onClick={onMenu}>
        <Icon name={navOpen ? 'cross' : 'menu'} />
      </button>
      <LiveSign />
      <span class="grow" />
      <button type="button" class="icon-button" aria-label="Light or dark" title="Light or dark" onClick={toggleTheme}>
        <Icon name="theme" />
      </button>
      <UserMenu />
    </header>
  );
}

function LiveSign() {
  const words = { connecting: 'Connecting', live: 'Live', stale: 'Not live' } as const;
  return (
    <span class={`live live-${linkState.value}`} role="status">
      <span class="live-dot" />
      {words[linkState.value]}
    </span>
  );
}

function UserMenu() {
  const changing = useSignal(false);
  const user = me.value;
  if (user === null) return null;
  const leave = () =>
    whileLeaving(async () => {
      if (await attempt(() => send('POST', 'logout', { body: {} }), 'Signed out.')) signedOut();
    });
  return (
    <div class="user">
      <span class="user-name">
        <bdi>{user.name}</bdi>
        <small class="muted">{user.role}</small>
      </span>
      {user.kind === 'user' && (
        <button
          type="button"
          class="icon-button"
          aria-label="Change password"
          title="Change password"
          onClick={() => (changing.value = true)}
        >
          <Icon name="key" />
        </button>
      )}
      <Button kind="quiet" icon="leave" onPress={leave}>
        Sign out
      </Button>
      {changing.value && <PasswordDialog onClose={() => (changing.value = false)} />}
    </div>
  );
}
