import { useSignal } from '@preact/signals';
import { linkState } from './data/live.ts';
import { me, signInNeeded } from './data/session.ts';
import { route } from './data/route.ts';
import { CurrentPage } from './pages/current-page.tsx';
import { FirstAdmin } from './shell/first-admin.tsx';
import { Nav } from './shell/nav.tsx';
import { NoticeList } from './shell/notice-list.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { StaleBanner } from './shell/stale-banner.tsx';
import { TopBar } from './shell/top-bar.tsx';

export function App() {
  const navOpen = useSignal(false);
  if (route.value.parts[0] === 'first-admin') return <FirstAdmin />;
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the page
      </a>
      <Nav open={navOpen.value} onChosen={() => (navOpen.value = false)} />
      {navOpen.value && <div class="nav-shade" onClick={() => (navOpen.value = false)} />}
      <div class="body">
        <TopBar navOpen={navOpen.value} onMenu={() => (navOpen.value = !navOpen.value)} />
        <StaleBanner />
        <main id="content" class={linkState.value === 'stale' ? 'main-stale' : ''} tabIndex={-1}>
          {me.value !== null && <CurrentPage />}
        </main>
      </div>
      <NoticeList />
      {signInNeeded.value && <SignIn />}
    </div>
  );
}
