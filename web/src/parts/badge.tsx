import type { Look, Tone } from '../words/status.ts';
import { Icon } from './icon.tsx';

/** A state as colour, sign and word. `note` says more on hover. */
export function Badge({ look, note, quiet = false }: { look: Look; note?: string | undefined; quiet?: boolean }) {
  return (
    <span class={`badge tone-${look.tone}${quiet ? ' badge-quiet' : ''}`} title={note}>
      <Icon name={look.icon} size={14} />
      <span>{look.word}</span>
    </span>
  );
}

/** A number with its state; zero is drawn quietly. */
export function CountBadge({ value, look }: { value: number; look: Look }) {
  const tone: Tone = value === 0 ? 'idle' : look.tone;
  return (
    <span class={`count tone-${tone}`} title={`${value} ${look.word.toLowerCase()}`}>
      <Icon name={look.icon} size={12} />
      {value}
      <span class="sr"> {look.word.toLowerCase()}</span>
    </span>
  );
}
