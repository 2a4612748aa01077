/** A relay as a place for tunnels. */
export interface RelayCandidate {
  readonly id: string;
  readonly name: string;
  readonly region: string | null;
  readonly online: boolean;
  readonly healthy: boolean;
  readonly draining: boolean;
  /** host:port that edges dial; null where none is known. */
  readonly address: string | null;
  readonly tunnels: number;
  /** Null: no limit. */
  readonly maxTunnels: number | null;
}

export interface Placement {
  /** The primary first. */
  readonly relays: readonly RelayCandidate[];
  /** Why these, for people. */
  readonly reason: string;
}

const relaysPerTunnel = 2;

/**
 * Chooses two relays for a tunnel, or one where there is no second: those of the wanted region first, healthy before
 * degraded, emptier before fuller. Relays in `keep` stay where they can. Null where no relay can take it.
 */
export function choosePlacement(
  candidates: readonly RelayCandidate[],
  region: string | null,
  keep: ReadonlySet<string> = new Set(),
): Placement | null {
  const usable = candidates.filter(
    (relay) => relay.online && !relay.draining && relay.address !== null && (keep.has(relay.id) || hasRoom(relay)),
  );
  const order = (relay: RelayCandidate): readonly number[] => [
    keep.has(relay.id) ? 0 : 1,
    region !== null && relay.region !== region ? 1 : 0,
    relay.healthy ? 0 : 1,
    load(relay),
  ];
  const sorted = usable.toSorted((a, b) => compare(order(a), order(b)) || (a.name < b.name ? -1 : 1));
  const relays = sorted.slice(0, relaysPerTunnel);
  if (relays.length === 0) return null;
  const chosen = relays.map(describe).join(' and ');
  const passedOver = candidates.length - usable.length;
  const rest = passedOver === 0 ? '' : `; ${passedOver} of ${candidates.length} relays cannot take it now`;
  const place = region === null ? '' : ` for region ${region}`;
  return { relays, reason: `${chosen}${place}: least loaded of ${usable.length} usable relays${rest}` };
}

/** Why no relay can take a tunnel, for people. */
export function whyNoRelay(candidates: readonly RelayCandidate[]): string {
  if (candidates.length === 0) return 'there is no relay yet; add one';
  const reasons = candidates.map((relay) => {
    if (!relay.online) return `${relay.name} is not connected`;
    if (relay.draining) return `${relay.name} is draining`;
    if (relay.address === null) return `${relay.name} reports no public_quic_addr`;
    return `${relay.name} is full`;
  });
  return `no relay can take it: ${reasons.slice(0, 10).join(', ')}`;
}

function hasRoom({ tunnels, maxTunnels }: RelayCandidate): boolean {
  return maxTunnels === null || tunnels < maxTunnels;
}

function load({ tunnels, maxTunnels }: RelayCandidate): number {
  return maxTunnels === null ? tunnels : (tunnels / Math.max(1, maxTunnels)) * 1000;
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function describe({ name, region, tunnels, maxTunnels, healthy }: RelayCandidate): string {
  const facts = [
    region,
    maxTunnels === null ? `${tunnels} tunnels` : `${tunnels} of ${maxTunnels} tunnels`,
    healthy ? null : 'degraded',
  ];
  return `${name} (${facts.filter((fact) => fact !== null).join(', ')})`;
}
