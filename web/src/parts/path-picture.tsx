import type { LegRow, TunnelDetail, TunnelSide } from '../data/shapes.ts';
import { dropReason } from '../words/drop-reason.ts';
import { count, scaled } from '../words/format.ts';
import { nodeLooks, pushLooks, runningLooks, type Tone } from '../words/status.ts';
import { Badge } from './badge.tsx';
import { Icon } from './icon.tsx';

interface Station {
  readonly role: LegRow['role'];
  readonly title: string;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly nodeState: LegRow['node_state'];
  readonly address: string;
  readonly leg: LegRow | undefined;
  readonly side: TunnelSide | undefined;
}

/** Source — relay(s) — destination: each leg's push state beside its running state, so that the bad one shows. */
export function PathPicture({ tunnel }: { tunnel: TunnelDetail }) {
  const source = station(tunnel, 'ingress', 'Source', tunnel.source, `listens on ${tunnel.source.listen}`);
  const destination = station(
    tunnel,
    'egress',
    'Destination',
    tunnel.destination,
    `forwards to ${tunnel.destination.forward}`,
  );
  const relays = tunnel.relays.map((relay, index) =>
    station(
      tunnel,
      index === 0 ? 'relay' : 'secondary_relay',
      index === 0 ? 'Relay' : 'Second relay',
      relay,
      relay.relay_addr,
    ),
  );
  return (
    <div class="path" role="group" aria-label="Path of the tunnel">
      <StationCard station={source} />
      <Wire side={source.side} tone={wireTone(source)} word="source to relay" />
      <div class="path-relays">
        {relays.map((relay) => (
          <StationCard key={relay.role} station={relay} />
        ))}
      </div>
      <Wire side={destination.side} tone={wireTone(destination)} word="relay to destination" />
      <StationCard station={destination} />
    </div>
  );
}

function station(
  tunnel: TunnelDetail,
  role: LegRow['role'],
  title: string,
  end: { node_id: string; node_name: string; node_state: LegRow['node_state'] },
  address: string,
): Station {
  return {
    role,
    title,
    nodeId: end.node_id,
    nodeName: end.node_name,
    nodeState: end.node_state,
    address,
    leg: tunnel.legs.find((leg) => leg.role === role && leg.want === 'present'),
    side: tunnel.sides.find((side) => side.role === role),
  };
}

function stationTone({ nodeState, leg, side }: Station): Tone {
  if (leg?.push_status === 'failed' || nodeState === 'offline') return 'bad';
  if (side?.running === 'down') return 'bad';
  if (nodeState !== 'online' || leg?.push_status !== 'pushed' || isWaiting(side)) return 'warn';
  return side?.running === 'ready' ? 'ok' : 'idle';
}

function wireTone({ nodeState, side }: Station): Tone {
  if (nodeState === 'offline' || side?.running === 'down') return 'bad';
  if (side?.running === 'ready') return 'ok';
  return isWaiting(side) ? 'warn' : 'idle';
}

function isWaiting(side: TunnelSide | undefined): boolean {
  return side?.running === 'waiting' || side?.running === 'connecting';
}

function StationCard({
  station: { title, nodeId, nodeName, nodeState, address, leg, side, role },
  station: all,
}: {
  station: Station;
}) {
  return (
    <article class={`station tone-${stationTone(all)}`} data-role={role}>
      <header>
        <Icon name={role === 'relay' || role === 'secondary_relay' ? 'relay' : 'edge'} />
        <span class="station-title">{title}</span>
        <Badge look={nodeLooks[nodeState]} quiet />
      </header>
      <a class="station-name" href={`/nodes/${encodeURIComponent(nodeId)}`}>
        <bdi>{nodeName}</bdi>
      </a>
      <p class="mono muted">
        <bdi>{address}</bdi>
      </p>
      <dl class="station-states">
        <dt>Config</dt>
        <dd>{leg === undefined ? <span class="muted">no leg</span> : <Badge look={pushLooks[leg.push_status]} />}</dd>
        <dt>Traffic</dt>
        <dd>
          <Badge look={runningLooks[side?.running ?? 'unknown']} note={side?.detail ?? undefined} />
        </dd>
      </dl>
      {leg?.push_error != null && (
        <p class="station-error">
          <bdi>{leg.push_error}</bdi>
        </p>
      )}
      <Drops drops={side?.drops ?? {}} />
    </article>
  );
}

function Drops({ drops }: { drops: Readonly<Record<string, number>> }) {
  const lost = Object.entries(drops).filter(([, value]) => value > 0);
  if (lost.length === 0) return null;
  return (
    <ul class="drops" aria-label="Dropped, by reason">
      <li class="drops-title">Datagrams dropped</li>
      {lost.map(([reason, value]) => (
        <li key={reason}>
          <span>{dropReason(reason)}</span> <b>{count(value)}</b>
        </li>
      ))}
    </ul>
  );
}

function Wire({ side, tone, word }: { side: TunnelSide | undefined; tone: Tone; word: string }) {
  const figures = [
    side?.rtt_ms == null ? null : `${side.rtt_ms.toFixed(side.rtt_ms < 10 ? 1 : 0)} ms`,
    side?.loss_percent == null ? null : `${side.loss_percent.toFixed(1)} % loss`,
  ].filter((text) => text !== null);
  return (
    <div class={`wire tone-${tone}`} role="group" aria-label={`Connection ${word}`}>
      <span class="wire-figures">{figures.join(' · ')}</span>
      <span class="wire-line" />
      <span class="wire-figures">{rates(side)}</span>
    </div>
  );
}

function rates(side: TunnelSide | undefined): string {
  if (side?.bits_in_per_sec == null && side?.bits_out_per_sec == null) return '';
  return `↑ ${scaled(side.bits_out_per_sec ?? 0, 'bit/s')} ↓ ${scaled(side.bits_in_per_sec ?? 0, 'bit/s')}`;
}
