import { lastMessageAt, linkState } from '../data/live.ts';
import { secondsClock } from '../data/time.ts';
import { Icon } from '../parts/icon.tsx';
import { duration } from '../words/format.ts';

/** Says that what the page shows is old, and how old. */
export function StaleBanner() {
  if (linkState.value !== 'stale') return null;
  const age = duration(secondsClock.value - lastMessageAt.value);
  return (
    <div class="stale" role="status">
      <Icon name="warning" />
      <span>
        <b>Live data is {age} old.</b> The manager does not answer; what you see may have changed. Trying again…
      </span>
    </div>
  );
}
