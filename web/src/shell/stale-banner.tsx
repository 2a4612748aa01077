import { lastMessageAt, linkState } from '../data/live.ts';
import { signInNeeded } from '../data/session.ts';
import { secondsClock } from '../data/time.ts';
import { Icon } from '../parts/icon.tsx';
import { duration } from '../words/format.ts';

/** Says that what the page shows is old, and how old. */
export function StaleBanner() {
  if (linkState.value !== 'stale' || signInNeeded.value) return null;
  const at = lastMessageAt.value;
  return (
    <div class="stale" role="status">
      <Icon name="warning" />
      <span>
        <b>{at === 0 ? 'There is no live data.' : `Live data is ${duration(secondsClock.value - at)} old.`}</b> The
        manager does not answer; what you see may have changed. Trying again…
      </span>
    </div>
  );
}
