import { render } from 'preact';
import { App } from './app.tsx';
import { get } from './data/api.ts';
import { startLive } from './data/live.ts';
import { startRouting } from './data/route.ts';
import { signedIn } from './data/session.ts';
import type { Me } from './data/shapes.ts';
import { applyTheme } from './data/theme.ts';
import { startTotals } from './data/totals.ts';

applyTheme();
startRouting();
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');
render(<App />, root);
if (location.pathname !== '/first-admin') {
  const user = await get<Me>('me');
  signedIn(user);
}
startLive();
startTotals();
