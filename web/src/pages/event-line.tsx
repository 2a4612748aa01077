import type { EventRow } from '../data/shapes.ts';
import { Icon } from '../parts/icon.tsx';
import { When } from '../parts/when.tsx';
import { severityLooks } from '../words/status.ts';

/** One event in a short list, or the newest of several equal ones. */
export function EventLine({ event, repeats = 1 }: { event: EventRow; repeats?: number }) {
  const look = severityLooks[event.severity];
  return (
    <li class="event-line">
      <span class={`event-sign tone-${look.tone}`} title={look.word}>
        <Icon name={look.icon} />
        <span class="sr">{look.word}: </span>
      </span>
      <span class="event-text">
        <span>
          <bdi>{event.message}</bdi>
          {repeats > 1 && <span class="repeats">× {repeats}</span>}
        </span>
        <EventPlaces event={event} />
      </span>
      <span class="event-when muted">
        <When at={event.raised_at} />
      </span>
    </li>
  );
}

/** Where an event belongs: its node, tunnel or flow. */
export function EventPlaces({ event }: { event: EventRow }) {
  return (
    <small class="event-places">
      {event.node_id !== null && (
        <a href={`/nodes/${encodeURIComponent(event.node_id)}`}>
          <bdi>{event.node_name ?? event.node_id}</bdi>
        </a>
      )}
      {event.tunnel_id !== null && <a href={`/tunnels/${encodeURIComponent(event.tunnel_id)}`}>open tunnel</a>}
      <span class="muted">{event.category}</span>
    </small>
  );
}
